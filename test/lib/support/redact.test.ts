import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor, describeError, REDACTED } from "../../../lib/support/redact.ts";
import { fieldName, personal, sentence } from "./private-data.ts";
import { share } from "../../support/share.ts";

const redactor = createRedactor();

describe("free text", () => {
  it("loses personal data of every shape, whatever stands around it", () => {
    fc.assert(
      fc.property(personal, sentence, (value, write) => {
        const text = redactor.text(write(value));
        expect(text).not.toContain(value);
        expect(text).toContain(REDACTED);
      }),
      { numRuns: share(500) },
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
      { numRuns: share(500) },
    );
  });
});

describe("personal data that is written otherwise", () => {
  it.each([
    "98765 43210",
    "+91 98765-43210",
    "091 98765 43210",
    "1234 5678 9012",
    "4111 1111 1111 1111",
    "acct_50100123456786",
    "ACC50100123456787",
    "A/c50100123456786",
    "12345678901234567890",
    "9.501001234567",
    "-1234-501001234567",
    "501.001.234.567.89",
    "९८७६५४३२१०",
    "５０１００１２３４５６７",
    "5010\u200b0123\u200b4567",
    "रवि@okhdfc",
    "a@münchen.de",
    "ravi＠okhdfc",
    "ravi%40okhdfc",
    "ABCPE 1234 F",
    "ABCPE-1234-F",
    "ABCPE\u200b1234F",
    "АВСРЕ1234F",
    "account no. 123456",
  ])("%s goes", (text) => {
    const shown = redactor.text(`it says (${text}), and`);
    expect(shown).toContain(REDACTED);
    expect(shown.replaceAll(REDACTED, "")).not.toMatch(/\p{Nd}{4}|okhdfc|nchen|1234/u);
  });

  it.each([
    "phone",
    "mobile",
    "phoneNumber",
    "emailAddress",
    "payee_email",
    "pan_number",
    "bankAccountNumber",
    "beneficiary_name",
    "holderName",
    "accessToken",
    "apiKey",
    "SMTP_URL",
  ])("the field %s is private", (field) => {
    expect(redactor.value({ [field]: "x" })).toEqual({ [field]: REDACTED });
  });

  it("names of things, counts and ids are no private fields", () => {
    const open = {
      jobName: "x",
      table_name: "x",
      ipAddress: "x",
      contactId: "cont_1",
      mails: 3,
      key: "k",
      utr: "000912345678",
      ifsc: "HDFC0000009",
    };
    expect(redactor.value(open)).toEqual(open);
  });

  it.each([
    "the payout says ₹9,00,000.00 of ₹90,00,00,000.00 gross",
    "900000000 paise",
    "UTR 000912345678",
    "IFSC HDFC0000009",
    "HTTP 429 at 10.20.30.40:5432",
    "due on 23-11-2026 15:07",
    "3 of 5 2026-11-23 15:07",
    "https://github.com/acme/afterhours/actions/runs/12345678901",
    "lacks 20261126000400_settled_attempts",
  ])("%s stays", (text) => {
    expect(redactor.text(text)).toBe(text);
  });

  it("is found in a text of a million characters without going over it again and again", () => {
    for (const unit of ["x", "1 ", "@", "a@", "://", "-", "क", "1,", "ABCPE "]) {
      expect(redactor.text(unit.repeat(1_000_000 / unit.length))).toEqual(expect.any(String));
    }
  });
});

describe("known secrets", () => {
  const url = "postgres://app:p%40ss%2Fw0rd%25x@db.example/app";
  it.each([
    ["its password as it is written", "p%40ss%2Fw0rd%25x"],
    ["its password as it is meant", "p@ss/w0rd%x"],
    ["the password in base64", Buffer.from("p@ss/w0rd%x").toString("base64")],
    ["the login of HTTP", Buffer.from("app:p@ss/w0rd%x").toString("base64")],
    ["the login of SMTP", Buffer.from("\0app\0p@ss/w0rd%x").toString("base64")],
    ["the address in JSON and base64", Buffer.from(JSON.stringify({ url })).toString("base64")],
  ])("of an address go in each form: %s", (_, form) => {
    expect(createRedactor([url]).text(`<${form}>`)).not.toContain(form.slice(8, 20));
  });

  it("of four and five characters go where they are a word", () => {
    expect(createRedactor(["abcd"]).text("key abcd, not abcde")).toBe(`key ${REDACTED}, not abcde`);
  });

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
      { numRuns: share(300) },
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
