import type { Failure } from "./answer.ts";

/** The provider's own code for a refusal: its reason where it gives one. */
export function failureCode({ reason, code }: Failure): string {
  return reason ?? code;
}
