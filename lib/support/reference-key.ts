const SPACE =
  /[\u0009-\u000d \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/gu;

/**
 * The one form in which references of bookings compare: Unicode NFC, A to Z in small letters, each run of white space
 * one space, none at the ends. `reference_key` of the database gives the same, and no locale decides.
 */
export function referenceKey(reference: string): string {
  return reference
    .normalize("NFC")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(SPACE, " ")
    .replace(/^ | $/g, "");
}
