/**
 * Characters that nobody sees: controls, formats, separators, and letters without a shape. Two texts that differ by one
 * look alike and compare as different.
 */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;

/** As in names: Indian scripts write with joiners (U+200C, U+200D), and spaces have many widths. */
const INVISIBLE_IN_NAME = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}\u2800\u3164\uffa0]/u;

const NAMES: Readonly<Record<string, string>> = {
  "0009": "TAB",
  "000A": "LINE FEED",
  "000D": "CARRIAGE RETURN",
  "00A0": "NO-BREAK SPACE",
  "00AD": "SOFT HYPHEN",
  "034F": "COMBINING GRAPHEME JOINER",
  "061C": "ARABIC LETTER MARK",
  "200B": "ZERO WIDTH SPACE",
  "200C": "ZERO WIDTH NON-JOINER",
  "200D": "ZERO WIDTH JOINER",
  "200E": "LEFT-TO-RIGHT MARK",
  "200F": "RIGHT-TO-LEFT MARK",
  "2028": "LINE SEPARATOR",
  "2029": "PARAGRAPH SEPARATOR",
  "202A": "LEFT-TO-RIGHT EMBEDDING",
  "202B": "RIGHT-TO-LEFT EMBEDDING",
  "202C": "POP DIRECTIONAL FORMATTING",
  "202D": "LEFT-TO-RIGHT OVERRIDE",
  "202E": "RIGHT-TO-LEFT OVERRIDE",
  "202F": "NARROW NO-BREAK SPACE",
  "2060": "WORD JOINER",
  "2066": "LEFT-TO-RIGHT ISOLATE",
  "2067": "RIGHT-TO-LEFT ISOLATE",
  "2068": "FIRST STRONG ISOLATE",
  "2069": "POP DIRECTIONAL ISOLATE",
  "3000": "IDEOGRAPHIC SPACE",
  FEFF: "ZERO WIDTH NO-BREAK SPACE",
};

/**
 * The first invisible character, such as `U+200B ZERO WIDTH SPACE as character 4`; undefined when there is none. Counts
 * code points, from 1.
 */
export function invisibleIn(
  text: string,
  { name = false }: { name?: boolean } = {},
): string | undefined {
  const shape = name ? INVISIBLE_IN_NAME : INVISIBLE;
  const characters = Array.from(text);
  const index = characters.findIndex((character) => shape.test(character));
  const found = characters[index];
  return found === undefined ? undefined : `${codePointOf(found)} as character ${index + 1}`;
}

function codePointOf(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const name = NAMES[hex];
  return name === undefined ? `U+${hex}` : `U+${hex} ${name}`;
}
