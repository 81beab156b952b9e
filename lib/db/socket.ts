import { Socket } from "node:net";

interface DatabaseSocketOptions {
  /** Ends the connection when nothing has come or gone for so long. */
  silenceMs: number;
  /** Ends the connection at once when it fires; a later connection ends as well. */
  cut?: AbortSignal | undefined;
}

/**
 * A socket to the database, not connected yet. A server that has fallen silent without closing the
 * connection (its machine is gone, a firewall has forgotten the connection) is noticed here and nowhere
 * else: its own timeouts are no use then, and the system's take hours.
 */
export function databaseSocket({ silenceMs, cut }: DatabaseSocketOptions): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMs, () => socket.destroy(new DatabaseSilentError(silenceMs)));
  if (cut === undefined) return socket;
  const end = (): void => void socket.destroy();
  cut.addEventListener("abort", end, { once: true });
  socket.once("close", () => cut.removeEventListener("abort", end));
  // At the next turn, when the caller listens to the socket.
  if (cut.aborted) setImmediate(end);
  return socket;
}

/** With Node's own code for a peer that does not answer, so that it is known as a lost connection. */
class DatabaseSilentError extends Error {
  override readonly name = "DatabaseSilentError";
  readonly code = "ETIMEDOUT";

  constructor(silenceMs: number) {
    super(`connection terminated: the database has been silent for ${silenceMs / 1000} s`);
  }
}
