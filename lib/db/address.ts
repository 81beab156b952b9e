import { readFileSync } from "node:fs";
import { errorCode } from "../support/errors.ts";

/** What `sslmode` may be in an address. */
const MODES = ["disable", "prefer", "require", "verify-ca", "verify-full", "no-verify"];
/** The same with `uselibpqcompat=true`, where they mean what they mean to `psql`. */
const LIBPQ_MODES = MODES.filter((mode) => mode !== "no-verify");
const FILES = ["sslrootcert", "sslcert", "sslkey"];

/**
 * What is wrong with what an address says of TLS: a mode that there is not would be taken for another one
 * without a word. Names the parameter and never its value.
 */
export function tlsProblemOf(url: string): string | undefined {
  const parameters = new URL(url).searchParams;
  const asLibpq = parameters.get("uselibpqcompat") === "true";
  const modes = asLibpq ? LIBPQ_MODES : MODES;
  const mode = parameters.get("sslmode");
  if (mode !== null && !modes.includes(mode)) {
    return `expected sslmode to be one of ${modes.join(", ")}${asLibpq ? " (with uselibpqcompat=true)" : ""}`;
  }
  if (asLibpq && mode === "verify-ca" && !parameters.get("sslrootcert")) {
    return "sslmode=verify-ca with uselibpqcompat=true needs sslrootcert, the file with the CA's certificate";
  }
  for (const name of FILES) {
    const file = parameters.get(name);
    const code = file ? problemOfFile(file) : undefined;
    if (code !== undefined) return `${name} names a file that can not be read (${code})`;
  }
  return undefined;
}

function problemOfFile(file: string): string | undefined {
  try {
    readFileSync(file);
    return undefined;
  } catch (error) {
    return errorCode(error) ?? "no code";
  }
}

const SAME_AS_VERIFY_FULL = /([?&]sslmode=)(?:prefer|require|verify-ca)(?=[&#]|$)/g;

/**
 * The address as the driver gets it. To the driver `prefer`, `require` and `verify-ca` are other names of
 * `verify-full`, over which it prints a warning into every log; the name says what happens.
 */
export function withoutDriverWarning(url: string): string {
  return /[?&]uselibpqcompat=true(?=[&#]|$)/.test(url)
    ? url
    : url.replace(SAME_AS_VERIFY_FULL, "$1verify-full");
}
