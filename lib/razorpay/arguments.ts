import type { TimeWindow } from "../provider/payout-provider.ts";
import { AfterhoursError } from "../support/errors.ts";

/** Names the argument and the expected form, never its value. */
type ArgumentError = (name: string, expected: string) => AfterhoursError;

/** Our own mistakes in calling one of the provider's APIs: thrown before anything is sent. */
export function argumentErrors(api: "RazorpayX" | "Razorpay"): ArgumentError {
  return (name, expected) =>
    new AfterhoursError(
      `${api.toUpperCase()}_ARGUMENT_INVALID`,
      `${api} was called with a wrong ${name}: expected ${expected}. Nothing was sent.`,
    );
}

/** An empty id would turn "fetch one" into "list all". */
export function checkedId(id: string, wrong: ArgumentError): string {
  if (!/^[A-Za-z0-9_]+$/.test(id)) throw wrong("id", "an id of the provider, like pout_…");
  return id;
}

export function withQuery(path: string, query: Record<string, string>): string {
  return `${path}?${new URLSearchParams(query).toString()}`;
}

/** Seconds, both included, and the page. */
export function windowQuery(window: TimeWindow, wrong: ArgumentError): Record<string, string> {
  const { fromMs, toMs, count = 100, skip = 0 } = window;
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw wrong("count", "an integer from 1 to 100");
  }
  if (!Number.isInteger(skip) || skip < 0) throw wrong("skip", "an integer from 0");
  return {
    ...(fromMs === undefined ? {} : { from: String(Math.floor(fromMs / 1000)) }),
    ...(toMs === undefined ? {} : { to: String(Math.ceil(toMs / 1000)) }),
    count: String(count),
    skip: String(skip),
  };
}
