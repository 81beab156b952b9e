import { InvalidArgumentError } from "commander";
import { idOf } from "../frame/arguments.ts";

export const payoutId = idOf("payout");

/** Several ids; one that is named twice is handled once. */
export function payoutIds(text: string, earlier: readonly string[] | undefined): string[] {
  return [...new Set([...(earlier ?? []), payoutId(text)])];
}

export function mailAddress(text: string): string {
  if (/^[^\s<>@,;]+@[^\s<>@,;]+$/.test(text)) return text;
  throw new InvalidArgumentError("expected one address, such as asha@example.com.");
}
