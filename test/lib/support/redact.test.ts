import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor, describeError, REDACTED } from "../../../lib/support/redact.ts";
import { fieldName, personal, sentence } from "./private-data.ts";

const redactor = createRedactor();

describe("free text", () => {
  it("loses personal data of every shape, whatever stands around it", () => {
    fc.assert(
      fc.property(personal, sentence, (value, write) => {
        const text = redactor.text(write(value));
        expect(text).not.toContain(value);
        expect(text).toContain(REDACTED);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["postgres://app:s3cret@db.example:5432/app", `postgres://${REDACTED}db.example:5432/app`],
    ["redis://:s3cret@cache.example:6379", `redis://${REDACTED}cache.example:6379`],
    ["PAN ABCDE1234F is not linked", `PAN ${REDACTED} is not linked`],
    ["pan abcde1234f", `pan ${REDACTED}`],
    ["call +919876500000 now", `call ${REDACTED} now`],
    ["asha.rao@okbank", REDACTED],
  ])("%j becomes %j", (text, expected) => {
    expect(redactor.text(text)).toBe(expected);
  });

  it("keeps run identifiers, lease owners, times, rupees, hashes and the provider's ids", () => {
    const readable = [
      "2b1f0d9e-4c1c-4f0a-9f43-123456789012",
      "2026-11-22T15:37:00.123Z@runner-7:2b1f0d9e-4c1c-4f0a-9f43-123456789012",
      "2026-11-22T15:37:00.123Z",
      "₹12,34,567.00",
      "pout_00000000000001",
      "PUNB0123456",
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "db.example:5432/afterhours",
      "afterhours:production:payouts%2Fprocess-payouts",
      "tds-2025-26",
    ];
    for (const text of readable) expect(redactor.text(`it says ${text} here`)).toContain(text);
  });

  it("keeps every UUID and every lease owner", () => {
    const owner = fc
      .tuple(
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2099-01-01") }),
        fc.constantFrom("runner-1", "fv-az1234-567", "laptop.local"),
        fc.uuid(),
      )
      .map(([at, host, run]) => `${at.toISOString()}@${host}:${run}`);
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), owner), (text) => {
        expect(redactor.text(text)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe("known secrets", () => {
  it("go wherever they stand, also inside a word", () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 40 })
      .filter((text) => text.trim() === text);
    fc.assert(
      fc.property(secret, sentence, (value, write) => {
        fc.pre(!REDACTED.includes(value));
        expect(createRedactor([value]).text(`x${write(value)}y`)).not.toContain(value);
      }),
    );
  });

  it("that are short are not masked, since they would turn ordinary words into stars", () => {
    expect(createRedactor(["on"]).text("on time")).toBe("on time");
  });

  it("go whole when one is part of another", () => {
    const url = "postgres://app:opensesame@db.example/app";
    const text = createRedactor(["opensesame", url]).text(`cannot reach ${url}`);
    expect(text).not.toContain("opensesame");
    expect(text).not.toContain("db.example/app");
  });
});

describe("structured values", () => {
  it("lose personal data at any depth, in values and in the names of fields", () => {
    const nested = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc
          .tuple(personal, sentence)
          .map(([value, write]) => ({ planted: [value], node: write(value) })),
        fc
          .tuple(fieldName, tie("node"))
          .map(([field, inner]) => wrap(inner, (node) => ({ [field]: node }))),
        tie("node").map((inner) => wrap(inner, (node) => [1, node, null])),
        fc
          .tuple(personal, tie("node"))
          .map(([value, inner]) => wrap(inner, (node) => ({ [value]: node }), [value])),
        tie("node").map((inner) => wrap(inner, (node) => ({ amountPaise: [node] }))),
        fc
          .tuple(personal, tie("node"))
          .map(([value, inner]) =>
            wrap(
              inner,
              (node) =>
                Object.assign(new Error(`refused ${value}`), { cause: new Error(String(node)) }),
              [value],
            ),
          ),
      ),
    })).node;
    fc.assert(
      fc.property(nested, (tree) => {
        const { planted, node } = tree;
        const written = JSON.stringify(redactor.value(node));
        for (const value of planted) expect(written).not.toContain(value);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    "account_number",
    "accountNumber",
    "Account-Number",
    "vpa",
    "pan",
    "EMAIL",
    "phone",
    "contact",
    "name",
    "key_secret",
    "Authorization",
    "DATABASE_URL",
  ])("lose whatever the field %s holds", (field) => {
    expect(redactor.value({ [field]: { any: ["thing"] } })).toEqual({ [field]: REDACTED });
  });

  it("keep amounts, numbers, days and codes", () => {
    const value = {
      amountPaise: 123_456_789_012n,
      tax_paise: "123456789012",
      totalPaise: 9_007_199_254_740_991,
      count: 3,
      dryRun: false,
      nothing: null,
      creditedOn: "2026-03-31",
      code: "BAD_REQUEST_ERROR",
    };
    expect(redactor.value(value)).toEqual(value);
  });

  it("write a date as text and stop at a cycle", () => {
    const cyclic: Record<string, unknown> = { at: new Date("2026-01-01T00:00:00Z") };
    cyclic["self"] = cyclic;
    const copy = JSON.stringify(redactor.value(cyclic));
    expect(copy).toContain("2026-01-01T00:00:00.000Z");
    expect(copy).toContain(REDACTED);
  });

  it("leave the value that they were made from as it was", () => {
    const value = { pan: "ABCDE1234F", deep: { text: "ABCDE1234F" } };
    redactor.value(value);
    expect(value).toEqual({ pan: "ABCDE1234F", deep: { text: "ABCDE1234F" } });
  });
});

describe("an error as data", () => {
  it("has type, message, code, remedy, stack and cause, and nothing else", () => {
    const error = Object.assign(new RangeError("outer", { cause: new TypeError("inner") }), {
      code: "E_OUTER",
      remedy: "Mend it.",
      config: { auth: "hidden" },
    });
    expect(describeError(error)).toEqual({
      type: "RangeError",
      message: "outer",
      code: "E_OUTER",
      remedy: "Mend it.",
      stack: error.stack,
      cause: error.cause,
    });
  });

  it("shows its chain of causes where it is written", () => {
    const error = new Error("outer", {
      cause: new TypeError("middle", { cause: new Error("ABCDE1234F") }),
    });
    expect(redactor.value({ err: error })).toMatchObject({
      err: { message: "outer", cause: { type: "TypeError", cause: { message: REDACTED } } },
    });
  });

  it("is not confused by a cause that is its own", () => {
    const error = new Error("snake");
    error.cause = error;
    expect(JSON.stringify(redactor.value(error))).toContain("snake");
  });
});

interface Planted {
  planted: string[];
  node: unknown;
}

function wrap(inner: unknown, build: (node: unknown) => unknown, more: string[] = []): Planted {
  const { planted, node } = inner as Planted;
  return { planted: [...planted, ...more], node: build(node) };
}
