import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLog, silentLog, toJson, type Log } from "../../../lib/support/log.ts";
import { createRedactor } from "../../../lib/support/redact.ts";
import { fieldName, personal, sentence } from "./private-data.ts";
import { share } from "../../support/share.ts";

const SECRET = "rzp-s3cret-value";

describe("a log line", () => {
  it("never holds personal data or a known secret, however it was handed over", () => {
    const planted = fc.oneof(personal, fc.constant(SECRET));
    const ways = fc.constantFrom<((log: Log, text: string, field: string) => void)[]>(
      (log, text) => log.info(text),
      (log, text) => log.info("%s", text),
      (log, text) => log.info("value: %o", { deep: { text } }),
      (log, text, field) => log.info({ [field]: text }, "message"),
      (log, text, field) => log.info({ [field]: { [field]: [text, { text }] } }, "message"),
      (log, text, field) => log.info({ [field]: 1 }, text),
      (log, text) => log.info({ [text]: 1 }, "message"),
      (log, text) => log.error(new Error(text)),
      (log, text) => log.error(new Error(text), "message"),
      (log, text) => log.error({ err: new Error(text) }),
      (log, text) => log.error({ err: new Error("outer", { cause: new Error(text) }) }, "message"),
      (log, text) => log.error({ detail: new Error(text) }, "message"),
      (log, text) =>
        log.error({ err: Object.assign(new Error("x"), { response: text }) }, "message"),
      (log, text) => log.error({ err: Object.assign(new Error("x"), { remedy: text }) }, "message"),
    );
    fc.assert(
      fc.property(planted, sentence, ways, fieldName, (value, write, hand, field) => {
        const { log, lines } = recordingLog();
        hand(log, write(value), field);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain(value);
      }),
      { numRuns: share(1000) },
    );
  });

  it("keeps amounts to the paisa, identifiers and lease owners", () => {
    const owner = "2026-11-22T15:37:00.123Z@runner-7:2b1f0d9e-4c1c-4f0a-9f43-123456789012";
    const { log, entries } = recordingLog();
    log.info(
      { amountPaise: 123_456_789_012n, owner, payoutId: owner.slice(-36) },
      `held by ${owner}`,
    );
    expect(entries()[0]).toMatchObject({
      amountPaise: "123456789012",
      owner,
      payoutId: owner.slice(-36),
      msg: `held by ${owner}`,
    });
  });

  it("is one line of JSON with level, time and the run, whatever the text holds", () => {
    const { log, lines, entries } = recordingLog();
    log.warn({ text: "two\nlines" }, "and\nagain");
    expect(lines[0]?.trimEnd()).not.toContain("\n");
    expect(entries()[0]).toMatchObject({
      level: "warn",
      job: "tests/check-log",
      runId: "run-1",
      text: "two\nlines",
      msg: "and\nagain",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    });
  });

  it("shows an error's type, message, code, remedy and cause", () => {
    const { log, entries } = recordingLog();
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    log.error({ err: new TypeError("broken", { cause }) }, "failed");
    expect(entries()[0]?.["err"]).toMatchObject({
      type: "TypeError",
      message: "broken",
      cause: { message: "refused", code: "ECONNREFUSED" },
    });
  });

  it("below the level is not written", () => {
    const { log, lines } = recordingLog();
    log.debug("too small");
    expect(lines).toEqual([]);
  });
});

it("a silent log writes nothing and can be called", () => {
  expect(() => silentLog().error({ a: 1n }, "nobody hears")).not.toThrow();
});

it("JSON has each bigint as its digits", () => {
  expect(toJson({ amountPaise: 12n, list: [1n], plain: 1 })).toBe(
    '{"amountPaise":"12","list":["1"],"plain":1}',
  );
});

function recordingLog(): { log: Log; lines: string[]; entries: () => Record<string, unknown>[] } {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    redactor: createRedactor([SECRET]),
    destination: { write: (line: string) => void lines.push(line) },
    base: { job: "tests/check-log", runId: "run-1" },
  });
  return {
    log,
    lines,
    entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
