import type { Failure } from "../razorpay/index.ts";

/** The provider's own code for a refusal: its reason where it gives one. */
export function failureCode({ reason, code }: Failure): string {
  return reason ?? code;
}
