import { Redis } from "ioredis";
import { seconds } from "../../support/clock.ts";
import { redisFault, speaksTls, type ServerFault } from "../../support/server-fault/index.ts";
import { limitAnswers, redisOptions } from "./redis-address.ts";

const AT_MOST_MS = seconds(1);

/**
 * Why Redis refused, where its driver does not say. The driver waits without a word while Redis loads its data.
 * Of a port that takes only TLS, or none, it sees a connection that ends or stays silent, and nothing else.
 *
 * @param isConnected whether the driver has a connection that is not ready for commands
 */
export async function explainRedis(
  url: string,
  fault: ServerFault,
  { isConnected }: { isConnected: boolean },
): Promise<ServerFault> {
  if (fault.kind !== "no-answer") return fault;
  if (isConnected) {
    const asked = await askOnce(url);
    if (asked !== undefined && asked.kind !== "no-answer") return asked;
  }
  const parts = new URL(url);
  if (parts.protocol === "rediss:") {
    if (fault.code !== "") return fault;
    // A server that expects plain text takes a handshake for the start of a line. The password is not sent in
    // plain text.
    parts.protocol = "redis:";
    parts.username = parts.password = "";
    const inPlain = await askOnce(parts.href);
    return inPlain?.kind === "no-answer" ? fault : { kind: "no-tls", code: "" };
  }
  const isCutOff = ["", "ECONNRESET", "EPIPE"].includes(fault.code);
  if (!isCutOff) return fault;
  const host = parts.hostname.replace(/^\[|\]$/g, "");
  const target = { host, port: Number(parts.port || "6379"), atMostMs: AT_MOST_MS };
  return (await speaksTls(target)) ? { kind: "tls-only", code: fault.code } : fault;
}

/** Redis's answer to one question, sent whether or not Redis is ready. */
async function askOnce(url: string): Promise<ServerFault | undefined> {
  const redis = new Redis({
    ...redisOptions(url),
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: AT_MOST_MS,
    commandTimeout: AT_MOST_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let lastError: unknown;
  redis.on("error", (error: unknown) => void (lastError = error));
  redis.on("connect", () => limitAnswers(redis));
  try {
    await redis.connect();
    await redis.get("afterhours:check");
    return undefined;
  } catch (error) {
    return redisFault(error, lastError);
  } finally {
    redis.disconnect();
  }
}
