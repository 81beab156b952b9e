const CONTACT_NAME_LENGTH = { least: 3, most: 50 };
const HOLDER_NAME_LENGTH = { least: 3, most: 120 };

/**
 * A person's name as the provider takes it for a contact: 3 to 50 of `a-zA-Z0-9 ’ - _ / ( ) .` and
 * space. Accents are taken off, other characters become spaces. `undefined` when fewer than three
 * remain, as of a name in another script: the caller then needs a name of its own making.
 */
export function contactName(name: string): string | undefined {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}|\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(/['`‘ʼ]/g, "’")
    .replace(/&/g, " and ")
    .replace(/[^a-zA-Z0-9’\-_/(). ]/gu, " ");
  return fitted(plain, CONTACT_NAME_LENGTH);
}

/**
 * The name of a bank account's holder, 3 to 120 characters. The provider names no alphabet and banks
 * compare it, so its letters stay as they are, and the joiners of Indian scripts (U+200C, U+200D) with them. Line breaks
 * and control characters become spaces; other characters without a shape go, and leave no space in a word. `undefined` when fewer than three remain.
 */
export function accountHolderName(name: string): string | undefined {
  const shown = name
    .normalize("NFC")
    .replace(/(?![\u200c\u200d])\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(/(?![\u200c\u200d])\p{C}/gu, " ");
  return fitted(shown, HOLDER_NAME_LENGTH);
}

function fitted(text: string, length: { least: number; most: number }): string | undefined {
  const tidy = text.replace(/\s+/gu, " ").trim();
  const cut = Array.from(tidy).slice(0, length.most).join("").trim();
  return Array.from(cut).length < length.least ? undefined : cut;
}
