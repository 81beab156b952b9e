import { errorCode } from "../errors.ts";
import type { ServerFault, ServerFaultKind } from "./kinds.ts";
import { layersOf, messageOf } from "./layers.ts";
import { networkFault } from "./network.ts";

/** With a digit, so that Node's `EPIPE` is none. */
const SQL_STATE = /^(?=.*[0-9])[0-9A-Z]{5}$/;

/**
 * The five-character code that Postgres gave, wherever the error is wrapped. Undefined when Postgres did not
 * answer.
 */
export function sqlStateOf(thrown: unknown): string | undefined {
  for (const layer of layersOf(thrown)) {
    const code = errorCode(layer);
    if (code !== undefined && SQL_STATE.test(code)) return code;
  }
  return undefined;
}

const BY_STATE: readonly (readonly [RegExp, ServerFaultKind])[] = [
  [/^28/, "login-refused"],
  [/^(3D|57P04)/, "missing"],
  [/^42501/, "not-allowed"],
  [/^25006/, "wrong-role"],
  [/^53/, "full"],
  [/^57P/, "busy"],
];

/** Messages of the driver for errors without a code. */
const BY_WORDS: readonly (readonly [RegExp, ServerFaultKind])[] = [
  [/server does not support SSL/i, "no-tls"],
  [/error establishing an SSL connection/i, "tls-failed"],
  [/requires specifying a CA with sslrootcert/i, "certificate-file"],
  [/^SASL: .*password must be/i, "login-refused"],
  [/^SASL/i, "tls-failed"],
];

/** The fault of PostgreSQL, or of the network, when a session failed or could not be opened. */
export function postgresFault(thrown: unknown): ServerFault {
  const state = sqlStateOf(thrown);
  if (state !== undefined) {
    const words = [...layersOf(thrown)].map(messageOf).join("\n");
    const kind = BY_STATE.find(([pattern]) => pattern.test(state))?.[1] ?? "unclear";
    return { kind: kindOfHostEntry(words) ?? kind, code: state };
  }
  for (const layer of layersOf(thrown)) {
    const known = BY_WORDS.find(([pattern]) => pattern.test(messageOf(layer)));
    if (known) return { kind: known[1], code: "" };
  }
  return networkFault(thrown) ?? { kind: "no-answer", code: "no answer" };
}

/** `pg_hba.conf` has no line for this host and user, or none without encryption: the password is right or wrong. */
function kindOfHostEntry(words: string): ServerFaultKind | undefined {
  if (!/pg_hba\.conf/.test(words)) return undefined;
  return /no encryption|SSL off/.test(words) ? "tls-only" : "not-allowed";
}
