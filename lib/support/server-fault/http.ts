import type { ServerFault, ServerFaultKind } from "./kinds.ts";
import { networkFault } from "./network.ts";

const BY_STATUS: Readonly<Record<number, ServerFaultKind>> = {
  401: "login-refused",
  403: "not-allowed",
  404: "missing",
  410: "missing",
  429: "busy",
  503: "busy",
  507: "full",
};

/** The fault for a status that is not a success. */
export function httpFault(status: number): ServerFault {
  const elsewhere = status >= 300 && status < 400 ? "redirects" : "unclear";
  return { kind: BY_STATUS[status] ?? elsewhere, code: String(status) };
}

/** Why a request to a web server got no answer. */
export function fetchFault(thrown: unknown): ServerFault {
  const isLate = thrown instanceof Error && thrown.name === "TimeoutError";
  return networkFault(thrown) ?? { kind: "no-answer", code: isLate ? "ETIMEDOUT" : "" };
}
