import type { Clock } from "../../../lib/support/clock.ts";

/** One call that the API received. Control calls are not among them. */
export interface CallRecord {
  /** ISO time of its arrival. */
  at: string;
  method: string;
  /** Without the query, which holds account numbers, and without `/v1`. */
  path: string;
  /** The HTTP status answered; `dropped` when no answer reached the caller; `open` until then. */
  status: number | "dropped" | "open";
  idempotency_key: string | null;
  /** SHA-256 in hex of the exact bytes of the body, so that two calls can be compared; null without one. */
  body_sha256: string | null;
  /** Whether it could change something at the provider: anything but a GET. */
  mutating: boolean;
}

export interface CallLog {
  start(call: Pick<CallRecord, "method" | "path" | "idempotency_key">): CallRecord;
  /** Oldest first, at most `limit`. */
  list(): CallRecord[];
  /** How many there ever were. */
  total(): number;
}

export function createCallLog(options: { clock: Clock; limit: number }): CallLog {
  const { clock, limit } = options;
  let calls: CallRecord[] = [];
  let total = 0;
  return {
    start(call) {
      const record: CallRecord = {
        at: clock.now().toISOString(),
        ...call,
        status: "open",
        body_sha256: null,
        mutating: call.method !== "GET" && call.method !== "HEAD",
      };
      total++;
      calls.push(record);
      // Cut in large pieces, so that forgetting costs next to nothing per call.
      if (calls.length >= 2 * limit) calls = calls.slice(-limit);
      return record;
    },
    list: () => calls.slice(-limit),
    total: () => total,
  };
}
