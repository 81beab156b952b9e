import type { Redis, RedisOptions } from "ioredis";
import type { Env } from "../../support/environment.ts";
import { bareHost } from "../../support/loopback.ts";
import { plaintextProblem } from "../../support/plaintext.ts";
import { decoded, isDecodable } from "../../support/server-url.ts";

/** The driver takes any option from an address, `tls=` and `host=` among them; these two decide over nothing. */
const PARAMETERS = ["db", "family"];

/** The problem of a Redis address; its TLS setting is checked first. */
export function redisProblemOf(url: string, env: Env): string | undefined {
  const { protocol, username, password, pathname, searchParams } = new URL(url);
  if (![username, password].every(isDecodable)) {
    return "has a % that encodes nothing; write it as %25";
  }
  if (![...searchParams.keys()].every((name) => PARAMETERS.includes(name))) {
    return `expected no parameters but ${PARAMETERS.join(" and ")}`;
  }
  const numbers = [pathname.slice(1), ...searchParams.values()];
  if (!numbers.every((text) => /^\d{0,4}$/.test(text))) {
    return "expected the number of a database behind the port";
  }
  const setting = { host: hostOf(url), setting: "redis://", instead: "rediss://" };
  return protocol === "rediss:" ? undefined : plaintextProblem(env, setting);
}

/** The driver's options for an address: only those named here. */
export function redisOptions(
  url: string,
): Pick<RedisOptions, "host" | "port" | "username" | "password" | "db" | "family" | "tls"> {
  const { protocol, username, password, port, pathname, searchParams } = new URL(url);
  const db = pathname.slice(1) || searchParams.get("db");
  const family = searchParams.get("family");
  return {
    host: hostOf(url),
    port: Number(port || "6379"),
    ...(username === "" ? {} : { username: decoded(username) }),
    ...(password === "" ? {} : { password: decoded(password) }),
    ...(db ? { db: Number(db) } : {}),
    ...(family ? { family: Number(family) } : {}),
    ...(protocol === "rediss:" ? { tls: {} } : {}),
  };
}

function hostOf(url: string): string {
  return bareHost(new URL(url).hostname) || "localhost";
}

/** In all, over one connection. Locks and the first questions of the driver need some kilobytes. */
export const LARGEST_ANSWERS_BYTES = 2 ** 20;

/** Ends a connection over which more comes than answers can have: the driver would keep it all in memory. */
export function limitAnswers({ stream }: Pick<Redis, "stream">): void {
  stream.on("data", () => {
    if ("bytesRead" in stream && stream.bytesRead > LARGEST_ANSWERS_BYTES) {
      const problem = "more came than an answer of Redis may have";
      stream.destroy(Object.assign(new Error(problem), { code: "EMSGSIZE" }));
    }
  });
}
