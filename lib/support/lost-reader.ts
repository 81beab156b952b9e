import { errorCode } from "./errors.ts";

/** Whether a stream says only that nobody reads it any more, as `head` does when it has seen enough. */
export function isLostReader(error: unknown): boolean {
  return ["EPIPE", "ERR_STREAM_DESTROYED"].includes(errorCode(error) ?? "");
}
