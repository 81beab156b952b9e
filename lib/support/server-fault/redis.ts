import type { ServerFault, ServerFaultKind } from "./kinds.ts";
import { layersOf, messageOf } from "./layers.ts";
import { networkFault } from "./network.ts";

/** The word with which Redis begins an error. */
const BY_WORD: Readonly<Record<string, ServerFaultKind>> = {
  READONLY: "wrong-role",
  MOVED: "wrong-role",
  ASK: "wrong-role",
  NOREPLICAS: "unclear",
  NOAUTH: "login-refused",
  WRONGPASS: "login-refused",
  NOPERM: "not-allowed",
  DENIED: "not-allowed",
  OOM: "full",
  // It can not write its snapshots, and takes no writes because of that.
  MISCONF: "full",
  LOADING: "busy",
  BUSY: "busy",
  TRYAGAIN: "busy",
  MASTERDOWN: "busy",
  CLUSTERDOWN: "busy",
};

/** Messages of Redis after the general word `ERR`. */
const BY_ERR: readonly (readonly [RegExp, ServerFaultKind])[] = [
  [/max number of clients/i, "full"],
  [/AUTH .*without any password configured/i, "login-refused"],
  [/invalid password|invalid username-password/i, "login-refused"],
];

/**
 * The fault of Redis or of the network.
 *
 * @param earlier the last error of the connection: the driver gives up with an error that does not say why
 */
export function redisFault(thrown: unknown, earlier?: unknown): ServerFault {
  return judge(thrown) ?? (earlier === undefined ? undefined : judge(earlier)) ?? NO_ANSWER_AT_ALL;
}

const NO_ANSWER_AT_ALL: ServerFault = { kind: "no-answer", code: "" };

function judge(thrown: unknown): ServerFault | undefined {
  for (const layer of layersOf(thrown)) {
    const message = messageOf(layer);
    // Of a TLS alert, which is no answer of Redis: `Protocol error, got "\u0015" as reply type byte`.
    if (/Protocol error/.test(message)) return { kind: "tls-only", code: "" };
    const word = /^-?([A-Z]{2,20})\b/.exec(message)?.[1] ?? "";
    const kind = BY_WORD[word];
    if (kind !== undefined) return { kind, code: word };
    if (word !== "ERR") continue;
    // An error inside a script, as older versions report it: `ERR Error running script …: -READONLY You can't
    // write`.
    const within = /-([A-Z]{2,20}) /.exec(message)?.[1] ?? "";
    const kindWithin = BY_WORD[within];
    if (kindWithin !== undefined) return { kind: kindWithin, code: within };
    const known = BY_ERR.find(([pattern]) => pattern.test(message));
    return { kind: known?.[1] ?? "unclear", code: word };
  }
  return networkFault(thrown);
}
