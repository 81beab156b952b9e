import { readFileSync } from "node:fs";
import type { Env } from "../support/environment.ts";
import { errorCode } from "../support/errors.ts";
import { isLoopbackHost } from "../support/loopback.ts";
import { plaintextProblem } from "../support/plaintext.ts";
import { decoded, isDecodable } from "../support/server-url.ts";

/** The allowed values of `sslmode` in an address. */
const MODES = ["disable", "prefer", "require", "verify-ca", "verify-full", "no-verify"];
/** The same with `uselibpqcompat=true`, where they have the meaning that `psql` gives them. */
const LIBPQ_MODES = MODES.filter((mode) => mode !== "no-verify");
const FILES = ["sslrootcert", "sslcert", "sslkey"];
/** Of two of these the driver takes the last, and a reader sees the first. */
const ONCE = ["host", "sslmode", "ssl", "uselibpqcompat", ...FILES];

/**
 * The problem of a database address; its TLS setting is checked first. The driver would silently take an unknown
 * mode for another one. Names parameters, and of the values only mode and host.
 */
export function addressProblemOf(url: string, env: Env): string | undefined {
  const parameters = new URL(url).searchParams;
  const repeated = ONCE.find((name) => parameters.getAll(name).length > 1);
  if (repeated !== undefined) return `names ${repeated} more than once`;
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
  const host = hostOf(url);
  const setting = weakModeOf(parameters);
  if (setting !== undefined && !isSocket(host)) {
    const problem = plaintextProblem(env, { host, setting, instead: "sslmode=verify-full" });
    if (problem !== undefined) return problem;
  }
  return holdsNoText(url)
    ? "holds a % that encodes no text in its user, password or name: write a % of the text itself as %25"
    : undefined;
}

/** The part of an address that asks for less than a verified server; undefined without one. */
function weakModeOf(parameters: URLSearchParams): string | undefined {
  const mode = parameters.get("sslmode");
  if (mode === null) {
    const ssl = parameters.get("ssl");
    return ssl === null || ssl === "true" || ssl === "1" ? undefined : "this value of ssl";
  }
  if (parameters.get("uselibpqcompat") === "true") {
    return mode === "verify-full" ? undefined : `sslmode=${mode} with uselibpqcompat=true`;
  }
  return mode === "disable" || mode === "no-verify" ? `sslmode=${mode}` : undefined;
}

/** Where the driver connects: it takes `?host=` before the host of the address. Nothing else is asked. */
export function hostOf(url: string): string {
  const { hostname, searchParams } = new URL(url);
  return searchParams.getAll("host").at(-1) || decoded(hostname) || "localhost";
}

/** A socket's folder: nothing leaves this machine. */
function isSocket(host: string): boolean {
  return host.startsWith("/");
}

/** The driver takes a `%` before anything but two digits for itself, and throws at bytes that are no text. */
function holdsNoText(url: string): boolean {
  const { username, password, pathname } = new URL(url);
  return [username, password, pathname].some(
    (part) => !isDecodable(part.replace(/%(?![\da-f]{2})/gi, "%25")),
  );
}

function problemOfFile(file: string): string | undefined {
  try {
    readFileSync(file);
    return undefined;
  } catch (error) {
    return errorCode(error) ?? "no code";
  }
}

/**
 * The address as the driver gets it. To a server on another machine it says `sslmode=verify-full`, unless it asks
 * for less; whether it may has been asked before. To the driver `prefer`, `require` and `verify-ca` are other
 * names of that, over which it prints a warning into every log. Without a host it is this machine, so that no
 * variable of the driver's own (PGHOST) decides.
 */
export function driverAddress(url: string): string {
  const address = new URL(url);
  const parameters = address.searchParams;
  const host = hostOf(url);
  const mode = parameters.get("sslmode");
  const isHere = isSocket(host) || isLoopbackHost(host);
  const isVerified = weakModeOf(parameters) === undefined && (mode !== null || !isHere);
  if (isVerified && mode !== "verify-full") parameters.set("sslmode", "verify-full");
  if (address.hostname === "" && !parameters.get("host")) parameters.set("host", host);
  return parameters.toString() === new URL(url).searchParams.toString() ? url : address.href;
}
