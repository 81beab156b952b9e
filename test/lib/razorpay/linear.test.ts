import { expect, it } from "vitest";
import { classify } from "../../../lib/razorpay/classify.ts";
import { payoutReader } from "../../../lib/razorpay/read-entities.ts";
import { detail } from "../../../lib/razorpay/reading.ts";
import { columnOf } from "../../../lib/earnings/columns.ts";

/** Texts that make a careless pattern try every beginning, or every division. */
const HOSTILE: readonly [name: string, text: (length: number) => string][] = [
  ["letters", (length) => "a".repeat(length)],
  ["digits", (length) => "7".repeat(length)],
  ["blanks", (length) => " ".repeat(length)],
  ["blanks before a word", (length) => `${" ".repeat(length)}x`],
  ["at signs", (length) => "@".repeat(length)],
  ["brackets", (length) => "(".repeat(length)],
  ["underscores", (length) => "_-".repeat(length / 2)],
  ["nearly an address", (length) => "a@".repeat(length / 2)],
  ["nearly a PAN", (length) => "ABCDE1234".repeat(length / 9)],
  ["numbers in groups", (length) => "1234 ".repeat(length / 5)],
];

const refusal = (description: string): string =>
  JSON.stringify({ error: { code: "BAD_REQUEST_ERROR", reason: "x", description } });
const inManyTexts = (text: string): string =>
  JSON.stringify({
    error: { code: "BAD_REQUEST_ERROR", description: "no" },
    items: Array.from({ length: text.length / 16_000 }, () => ({
      description: text.slice(0, 4_000),
    })),
  });
const judge = (text: string): unknown =>
  classify(
    { kind: "answer", httpStatus: 400, text, retryAfter: undefined },
    { call: "create-payout", resend: false, read: payoutReader("7000000000000011") },
  );

const READERS: readonly [name: string, read: (text: string) => unknown][] = [
  ["the judgement of a refusal", (text) => judge(refusal(text))],
  ["the judgement of an answer in many texts", (text) => judge(inManyTexts(text))],
  ["a detail of the provider", (text) => detail.parse(text)],
  ["a heading of a finance export", (text) => columnOf(text)],
];

/** The longer one is sixteen times the shorter. */
const [SHORT, LONG] = [62_500, 1_000_000];

it.each(
  READERS.flatMap(([reader, read]) =>
    HOSTILE.map(([name, text]) => [reader, name, read, text] as const),
  ),
)("%s takes time in proportion to the text: %s", (_reader, _name, read, text) => {
  const best = (length: number): number => {
    const given = text(length);
    return Math.min(
      ...Array.from({ length: 3 }, () => {
        const begin = process.cpuUsage();
        read(given);
        return process.cpuUsage(begin).user / 1_000;
      }),
    );
  };
  best(SHORT);
  // Four times as long: four times as much work, sixteen times with a square. A blink is no measure.
  expect(best(LONG)).toBeLessThan(100 * Math.max(best(SHORT), 2));
});
