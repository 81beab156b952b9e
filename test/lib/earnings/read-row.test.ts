import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRupees } from "../../../lib/support/money.ts";
import { csv, problemsOf, read, row, type Cells } from "./builders.ts";
import { share } from "../../support/share.ts";

/** What is printed for one row, without the place. */
async function refusal(cells: Cells): Promise<string[]> {
  const printed = await problemsOf(csv([row(cells)]));
  return printed.map((text) => text.replace("week.csv:2 column ", ""));
}

const bankless = { ifsc: "", account_number: "" };

describe("a row by itself", () => {
  it.each<[string, Cells]>([
    ["an individual", { category: "Individual", pan: "zzzpe1234a" }],
    ["a family", { category: "HUF", pan: "ZZZHE1234A" }],
    ["a company", { category: "company", pan: "ZZZCE1234A" }],
    ["a firm", { category: "firm", pan: "ZZZFE1234A" }],
    ["a trust", { category: "other", pan: "ZZZTE1234A" }],
    ["a government body", { category: "other", pan: "ZZZGE1234A" }],
    ["no PAN", { pan: "", aadhaar: "YES" }],
    ["no PAN, said so", { pan: "", pan_status: "missing" }],
    ["an inoperative PAN", { pan_status: "inoperative" }],
    ["somebody abroad", { resident: "no" }],
    ["a VPA", { ...bankless, vpa: "Asha.1@demobank" }],
    ["a code in small letters", { ifsc: "hdfc0001220" }],
    ["letters in an account number", { account_number: "SB0123456789" }],
    ["a leap day", { credit_date: "2024-02-29" }],
    ["today in India", { credit_date: "2026-11-22" }],
    ["no fee", { platform_fee: "0" }],
    ["the smallest amount", { gross: "0.02", platform_fee: "0.01" }],
    ["spaces around values", { gross: " 1000.00 ", category: " individual " }],
  ])("takes %s", async (_what, cells) => {
    expect(await refusal(cells)).toEqual([]);
  });

  it.each<[string, Cells, string]>([
    ["no consultant", { consultant: "" }, "consultant: is empty; a value is required"],
    ["no category", { category: "" }, "category: is empty; a value is required"],
    ["an unknown category", { category: "person" }, "category: expected one of individual, huf"],
    ["a malformed PAN", { pan: "ZZZP1234AA" }, "pan: is not a PAN; expected five letters"],
    [
      "a PAN of another category",
      { pan: "ZZZCE1234A" },
      "pan: does not fit category individual: its fourth letter must be P",
    ],
    [
      "a person's PAN for others",
      { category: "other" },
      "pan: does not fit category other: its fourth letter must be A or B or T or L or J or G",
    ],
    [
      "a PAN that is said to be missing",
      { pan_status: "missing" },
      "pan_status: is missing although a PAN is given",
    ],
    [
      "a valid PAN that is not there",
      { pan: "", pan_status: "valid" },
      "pan_status: is valid although no PAN is given",
    ],
    ["an unknown PAN status", { pan_status: "ok" }, "pan_status: expected one of valid, missing"],
    ["a doubtful residence", { resident: "maybe" }, "resident: expected one of yes, no"],
    ["an Aadhaar number", { aadhaar: "123412341234" }, "aadhaar: expected one of yes, no"],
    ...(
      [
        ["company", "ZZZCE1234A"],
        ["firm", "ZZZFE1234A"],
        ["huf", "ZZZHE1234A"],
        ["other", "ZZZTE1234A"],
        ["company", ""],
        ["huf", ""],
      ] as const
    ).map(([category, pan]): [string, Cells, string] => [
      `an Aadhaar of category ${category} ${pan === "" ? "without" : "with"} a PAN`,
      { category, pan, aadhaar: "yes" },
      `aadhaar: is yes for category ${category}; only an individual can have an Aadhaar`,
    ]),
    ["no account", bankless, "account_number: expected ifsc and account_number, or vpa; all are"],
    ["two accounts", { vpa: "asha@demobank" }, "vpa: given beside a bank account"],
    ["an IFSC alone", { account_number: "" }, "account_number: is empty beside an IFSC"],
    ["a number alone", { ifsc: "" }, "ifsc: is empty beside an account number"],
    ["a malformed IFSC", { ifsc: "HDFC1001220" }, "ifsc: expected four letters, a zero and six"],
    ["a branch that is not", { ifsc: "HDFC0ZZZZZZ" }, "ifsc: no branch has the code HDFC0ZZZZZZ"],
    ["a short number", { account_number: "1234" }, "account_number: expected 5 to 35 letters"],
    ["a long number", { account_number: "1".repeat(36) }, "account_number: expected 5 to 35"],
    ["a number with spaces", { account_number: "9123 45678" }, "account_number: expected 5 to 35"],
    [
      "a number that a spreadsheet spoilt",
      { account_number: "9.12346E+11" },
      "account_number: a spreadsheet has turned the number into a power of ten",
    ],
    ["a VPA with no @", { ...bankless, vpa: "asha.demobank" }, "vpa: expected 3 to 100 characters"],
    ["a VPA with two", { ...bankless, vpa: "a@b@c" }, "vpa: expected 3 to 100 characters"],
    ["a long VPA", { ...bankless, vpa: `${"a".repeat(98)}@bk` }, "vpa: expected 3 to 100"],
    ["no booking", { booking_reference: "" }, "booking_reference: is empty"],
    [
      "a long booking",
      { booking_reference: "B".repeat(65) },
      "booking_reference: expected at most",
    ],
    ["no date", { credit_date: "" }, "credit_date: is empty; a value is required"],
    [
      "a date with the day first",
      { credit_date: "16/11/2026" },
      "credit_date: day and month cannot be told apart; expected YYYY-MM-DD",
    ],
    [
      "a date with hyphens and the day first",
      { credit_date: "05-11-2026" },
      "credit_date: day and month cannot be told apart; expected YYYY-MM-DD",
    ],
    ["a date with a time", { credit_date: "2026-11-16T00:00" }, "credit_date: expected YYYY-MM-DD"],
    ["no such day", { credit_date: "2026-02-29" }, "credit_date: 2026-02-29 is not a day"],
    [
      "tomorrow in India",
      { credit_date: "2026-11-23" },
      "credit_date: 2026-11-23 is in the future; today in India is 2026-11-22",
    ],
    ["no gross", { gross: "" }, "gross: is empty; a value is required"],
    ["a gross of zero", { gross: "0.00" }, "gross: is zero; expected an amount above zero"],
    ["a negative gross", { gross: "-10.00" }, "gross: is negative; expected rupees"],
    ["grouping", { gross: '"1,000.00"' }, "gross: expected rupees with two decimals or none"],
    ["one decimal", { gross: "1000.5" }, "gross: expected rupees with two decimals or none"],
    ["three decimals", { platform_fee: "1.505" }, "platform_fee: expected rupees with two"],
    ["a symbol", { gross: "₹1000" }, "gross: expected rupees with two decimals or none"],
    ["an exponent", { gross: "1e3" }, "gross: expected rupees with two decimals or none"],
    ["no fee", { platform_fee: "" }, "platform_fee: is empty; a value is required"],
    [
      "a fee as large as the gross",
      { gross: "1000", platform_fee: "1000.00" },
      "platform_fee: ₹1,000.00 of ₹1,000.00 leaves nothing to pay; expected less than gross",
    ],
    ["a fee beyond the gross", { platform_fee: "1000.01" }, "platform_fee: ₹1,000.01 of ₹1,000.00"],
  ])("refuses %s", async (_what, cells, expected) => {
    expect(await refusal(cells)).toEqual([expect.stringContaining(expected)]);
  });

  it("reports everything that is wrong with it at once", async () => {
    const printed = await refusal({
      pan: "x",
      ifsc: "x",
      account_number: "x",
      credit_date: "x",
      gross: "x",
    });

    expect(printed.map((text) => text.split(":")[0])).toEqual([
      "pan",
      "ifsc",
      "account_number",
      "credit_date",
      "gross",
    ]);
  });

  it("never shows an account number, a PAN or a VPA, whatever stands in them", async () => {
    const text = fc.stringMatching(/^[A-Za-z0-9@.]{6,20}$/).map((value) => `q${value}`);
    const columns = ["pan", "account_number", "vpa", "aadhaar", "pan_status"] as const;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...columns), text, async (column, value) => {
        const cells = column === "vpa" ? { ...bankless, vpa: value } : { [column]: value };
        for (const printed of await refusal(cells)) expect(printed).not.toContain(value);
      }),
      { numRuns: share(200) },
    );
  });

  it("turns rupees into the same paise that a person reads", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt({ min: 1n, max: 10n ** 14n }),
        fc.bigInt({ min: 0n, max: 10n ** 14n }),
        async (amountPaise, feePaise) => {
          const rupees = (paise: bigint): string => formatRupees(paise).replace(/[₹,]/g, "");
          const gross = rupees(amountPaise + feePaise);
          const file = await read(csv([row({ gross, platform_fee: rupees(feePaise) })]));

          expect(file.rows[0]).toMatchObject({ platformFeePaise: feePaise, amountPaise });
        },
      ),
      { numRuns: share(100) },
    );
  });
});
