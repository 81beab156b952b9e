import type { Problem } from "./problems.ts";

/** A code or reference as it is kept: in one Unicode form, case as it is written. */
export function keptForm(text: string): string {
  return text.normalize("NFC");
}

/** Equal for codes that look like one. */
export function codeKey(code: string): string {
  return keptForm(code).toLowerCase();
}

/** The problem of a code beside another that differs by case alone. */
export function lookAlike(line: number, code: string, other: string, where: string): Problem {
  const message = `${code} and ${other} (${where}) look like one payee; write the code of one payee in one way`;
  return { line, column: "consultant", message };
}
