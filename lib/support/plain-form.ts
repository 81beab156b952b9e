/** A text with one spelling for each character, and where each of its characters came from. */
interface PlainForm {
  text: string;
  /** The part of the original behind `text.slice(from, to)`. */
  original(from: number, to: number): [from: number, to: number];
}

/** Nothing here has a second spelling: printable ASCII and the blanks of a text. */
const IS_PLAIN = /^[\t\n\r\x20-\x7e]*$/;
/** Marks and characters without a shape: between two digits they would hide that these belong together. */
const WITHOUT_SHAPE = /^[\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}]$/u;
const DASH = /^[\p{Pd}\u2212]$/u;
const DIGIT = /^\p{Nd}$/u;

/**
 * The text as shapes are looked for in it: full-width and other compatible forms become the usual ones, dashes become
 * `-`, characters without a shape disappear. Digits of other scripts become `9`: a shape asks whether there is a
 * digit, not which one.
 */
export function plainForm(text: string): PlainForm {
  if (IS_PLAIN.test(text)) return { text, original: (from, to) => [from, to] };
  const parts: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const character of text) {
    const plain = plainCharacter(character);
    const end = at + character.length;
    parts.push(plain);
    for (let unit = 0; unit < plain.length; unit++) {
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  return {
    text: parts.join(""),
    original: (from, to) => [starts[from] ?? 0, ends[to - 1] ?? text.length],
  };
}

/** Known results for characters beyond ASCII; a text has few different ones. */
const known = new Map<string, string>();
const MOST_KNOWN = 10_000;

function plainCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0x20 && code <= 0x7e) return character;
  let plain = known.get(character);
  if (plain === undefined) {
    plain = computed(character);
    if (known.size < MOST_KNOWN) known.set(character, plain);
  }
  return plain;
}

function computed(character: string): string {
  if (/^[\t\n\r\u0085\u2028\u2029]$/u.test(character)) return character === "\t" ? "\t" : "\n";
  if (WITHOUT_SHAPE.test(character)) return "";
  if (DASH.test(character)) return "-";
  const usual = character.normalize("NFKC");
  return DIGIT.test(usual) && (usual < "0" || usual > "9") ? "9" : usual;
}
