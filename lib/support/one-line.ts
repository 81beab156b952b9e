/**
 * Line breaks, terminal controls, and marks that change the direction of the text after them. The joiners of
 * Indian scripts (U+200C, U+200D) are not among them.
 */
const NOT_ON_A_LINE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A text of somebody else on one line, where it can neither end the line nor write over others. */
export function oneLine(text: string): string {
  return text.replace(NOT_ON_A_LINE, " ");
}

/** A text of several lines, each of which is one. */
export function eachOnOneLine(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}
