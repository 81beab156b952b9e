import { describe, expect, it } from "vitest";
import { parseRetryAfterMs, retryDelayMs } from "../../../lib/razorpay/retry.ts";
import type { SystemicAnswer, UnknownAnswer } from "../../../lib/provider/index.ts";

const limited: SystemicAnswer = {
  kind: "systemic",
  fault: "rate-limited",
  certainlyNotAccepted: true,
  detail: "HTTP 429",
};
const timedOut: UnknownAnswer = { kind: "unknown", cause: "timeout", detail: "" };
const first = { tries: 1, waitedMs: 0, retryAfterMs: undefined };

describe("back-off", () => {
  it("doubles its range with every try up to eight seconds", () => {
    const ranges = [1, 2, 3, 4, 5].map((tries) =>
      retryDelayMs({
        ...first,
        answer: limited,
        call: "create-payout",
        tries,
        random: () => 0.9999999,
      }),
    );
    expect(ranges).toEqual([500, 1000, 2000, 4000, 8000]);
  });

  it("spreads over the whole range, down to no wait", () => {
    const at = { ...first, answer: limited, call: "create-payout", random: () => 0 } as const;
    expect(retryDelayMs(at)).toBe(0);
  });

  it("never repeats a payout or a refund after anything but 429", () => {
    for (const call of ["create-payout", "cancel-payout", "create-refund"] as const) {
      const at = { ...first, answer: timedOut, call, random: () => 0 };
      expect(retryDelayMs(at)).toBeUndefined();
    }
  });

  it("never repeats a refusal or a wrong key", () => {
    const wrongKey = { ...limited, fault: "credentials" } as const;
    const at = { ...first, answer: wrongKey, call: "fetch", random: () => 0 } as const;
    expect(retryDelayMs(at)).toBeUndefined();
  });

  it("ends when the waits together would exceed a minute", () => {
    const at = { ...first, answer: limited, call: "fetch", tries: 2, random: () => 0 } as const;
    expect(retryDelayMs({ ...at, waitedMs: 59_000, retryAfterMs: 2_000 })).toBeUndefined();
  });
});

describe("Retry-After", () => {
  const now = new Date("2026-04-01T10:00:00Z");

  it.each([
    ["7", 7_000],
    ["Wed, 01 Apr 2026 10:00:30 GMT", 30_000],
    ["Wed, 01 Apr 2026 09:00:00 GMT", 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("of %j is %j ms", (header, expected) => {
    expect(parseRetryAfterMs(header, now)).toBe(expected);
  });
});
