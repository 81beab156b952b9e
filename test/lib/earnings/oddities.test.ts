import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { IFSC_LIST } from "../../../lib/earnings/index.ts";
import { spreadsheetDamage } from "../../../lib/earnings/spreadsheet.ts";
import { csv, problemsOf, read, row, type Cells } from "./builders.ts";

/** What is printed for one row, without the place. */
async function refusal(
  cells: Cells,
  options: Parameters<typeof problemsOf>[1] = {},
): Promise<string[]> {
  const printed = await problemsOf(csv([row(cells)]), options);
  return printed.map((text) => text.replace("week.csv:2 column ", ""));
}

describe("names of Indian scripts", () => {
  it.each([
    ["Marathi, with a joiner", "नन्\u200dदन पाटील"],
    ["Malayalam, with a joiner at the end", "രാജന്\u200d"],
    ["Persian or Bengali, with a non-joiner", "র\u200c্যাব"],
  ])("are kept: %s", async (_what, name) => {
    const file = await read(csv([row({ name })]));
    expect(file.problems).toEqual([]);
    expect([...file.consultants.values()][0]?.details.name).toBe(name);
  });

  it.each([
    ["a zero width space", "Asha\u200bRao", "U+200B ZERO WIDTH SPACE as character 5"],
    ["an override", "Asha \u202eoaR", "U+202E RIGHT-TO-LEFT OVERRIDE as character 6"],
    ["a line separator", "Asha\u2028Rao", "U+2028 LINE SEPARATOR as character 5"],
  ])("are refused for %s, by its code point", async (_what, name, expected) => {
    expect(await refusal({ name })).toEqual([expect.stringContaining(`name: holds`)]);
    expect((await refusal({ name }))[0]).toContain(expected);
  });

  it("are refused when they are joiners alone", async () => {
    expect(await refusal({ name: "\u200d\u200d" })).toEqual([
      expect.stringContaining("name: expected at most 100 printable characters"),
    ]);
  });
});

describe("what cannot be seen in any other column", () => {
  it.each<[keyof Cells, string, string]>([
    ["account_number", "9123\u200b45678901", "U+200B ZERO WIDTH SPACE as character 5"],
    ["consultant", "C-\u200d1", "U+200D ZERO WIDTH JOINER as character 3"],
    ["booking_reference", "BK\u00a01", "U+00A0 NO-BREAK SPACE as character 3"],
    ["booking_reference", "BK\u00ad1", "U+00AD SOFT HYPHEN as character 3"],
    ["pan", "ZZZPE\u20601234A", "U+2060 WORD JOINER as character 6"],
    ["ifsc", "\u200eHDFC0001220", "U+200E LEFT-TO-RIGHT MARK as character 1"],
    ["credit_date", "2026-11\u200b-16", "U+200B ZERO WIDTH SPACE as character 8"],
    ["gross", "1000\u200b.00", "U+200B ZERO WIDTH SPACE as character 5"],
    ["category", "individual\u200b", "U+200B ZERO WIDTH SPACE as character 11"],
    ["consultant", "C\u{e0001}1", "U+E0001 as character 2"],
  ])("%s: is named once, by code point", async (column, value, expected) => {
    const printed = await refusal({ [column]: value });
    expect(printed).toHaveLength(1);
    expect(printed[0]).toContain(`${column}: holds a character that cannot be seen, ${expected};`);
  });

  it("is named in a heading", async () => {
    const text = csv([row()]).replace("gross", "gro\u200bss");
    expect((await problemsOf(text))[0]).toContain("(U+200B ZERO WIDTH SPACE as character 4)");
  });
});

describe("damage by spreadsheets", () => {
  it.each<[keyof Cells, string, string]>([
    ["booking_reference", "2.02611E+14", "power of ten"],
    ["booking_reference", "2E+14", "power of ten"],
    ["consultant", "1.23457E+11", "power of ten"],
    ["consultant", "2,02611E+14", "power of ten"],
    ["account_number", "9.12346E+11", "power of ten"],
    ["account_number", "9.12346E11", "power of ten"],
    ["consultant", "'00123", "apostrophe"],
    ["booking_reference", "’00123", "apostrophe"],
    ["account_number", "'00912345678", "apostrophe"],
    ["pan", "'ZZZPE1234A", "apostrophe"],
    ["ifsc", "'HDFC0001220", "apostrophe"],
    ["booking_reference", "#REF!", "formula"],
    ["consultant", '="""00123"""', "formula"],
    ["consultant", "#########", "formula"],
  ])("refuses %s %j for good", async (column, value, expected) => {
    const cell =
      value.includes(",") || value.includes('"') ? `"${value.replaceAll('""', '"')}"` : value;
    const quoted = value.startsWith("=") ? `"=""00123"""` : cell;
    for (const acceptLongNumbers of [false, true]) {
      const printed = await refusal({ [column]: quoted }, { acceptLongNumbers });
      expect(printed).toEqual([expect.stringContaining(expected)]);
      expect(printed[0]).toContain(`${column}: `);
      expect(printed[0]).not.toContain(value);
    }
  });

  it.each<[keyof Cells, string]>([
    ["account_number", "1914310000010100000"],
    ["consultant", "1914310000010100000"],
    ["booking_reference", "2026111612345670"],
    ["booking_reference", "20261116.0"],
  ])("asks for %s %j to be confirmed", async (column, value) => {
    const printed = await refusal({ [column]: value });
    expect(printed).toEqual([
      expect.stringMatching(/^[a-z_]+: .*run again with --accept-long-numbers$/),
    ]);

    const file = await read(csv([row({ [column]: value })]), undefined, {
      acceptLongNumbers: true,
    });
    expect(file.problems).toEqual([]);
    expect(file.accepted).toBe(1);
  });

  it.each([
    "12E5",
    "BK-2E+14",
    "1914310000010100016",
    "123456789012345",
    "O'Brien-1",
    "C.0",
    "E+1",
  ])("takes %j for what it is", (text) => {
    expect(spreadsheetDamage(text)).toBeUndefined();
  });

  it("says of a repeated reference that two may have become one", async () => {
    const booking_reference = "2026111612345670";
    const text = csv([row({ booking_reference }), row({ booking_reference })]);
    expect(await problemsOf(text, { acceptLongNumbers: true })).toEqual([
      expect.stringMatching(/repeats the booking reference of line 2;.* one of two references/),
    ]);
  });
});

describe("a branch that is not in the list", () => {
  const cells = { ifsc: "SBIN0ZZ2633" };

  it("is refused with the age of the list, and taken when it is allowed by hand", async () => {
    const [printed] = await refusal(cells);
    expect(printed).toContain("ifsc: no branch has the code SBIN0ZZ2633 in our list");
    expect(printed).toContain(`older than ${IFSC_LIST.before}`);
    expect(printed).toContain("--allow-ifsc SBIN0ZZ2633");
    expect(await refusal(cells, { allowIfsc: ["sbin0zz2633"] })).toEqual([]);
    expect(await refusal(cells, { allowIfsc: ["SBIN0ZZ2634"] })).toHaveLength(1);
  });

  it("is judged by the list that is installed", () => {
    const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
    expect(dependencies["ifsc"]).toBe(IFSC_LIST.version);
  });
});

describe("a file whose lines end in CR alone", () => {
  const said = "week.csv:1: lines end in a carriage return alone (CR)";

  it.each([1, 7, 65_536])("is refused in one sentence, in pieces of %i bytes", async (bytes) => {
    const file = await read(csv([row(), row()]).replaceAll("\n", "\r"), bytes);
    expect(file.problems).toMatchObject([{ line: 1 }]);
    expect(file.problems[0]?.message).toContain("carriage return alone");
  });

  it("is refused so when it is larger than a line may be", async () => {
    const rows = Array.from({ length: 12_000 }, (_, index) =>
      row({ booking_reference: `B-${index}` }),
    );
    const printed = await problemsOf(csv(rows).replaceAll("\n", "\r"));
    expect(printed).toEqual([expect.stringContaining(said)]);
  });

  it("but for its header names the row that swallows the others", async () => {
    const [header = "", ...rows] = csv([row(), row()]).split("\n");
    const printed = await problemsOf(`${header}\n${rows.join("\r")}`);
    expect(printed).toEqual([expect.stringMatching(/^week.csv:2: .*carriage returns \(CR\)/)]);
  });

  it("is no file with a line break in a quoted heading", async () => {
    const text = csv([row()]).replace("gross", '"gross\r(INR)"').replaceAll("\n", "\r\n");
    expect(await problemsOf(text)).toEqual([]);
  });
});

describe("days and amounts as Indian exports have them", () => {
  it.each([
    ["16/11/2026", "2026-11-16"],
    ["5/11/2026", "2026-11-05"],
    ["05-11-2026", "2026-11-05"],
    ["05.11.2026", "2026-11-05"],
  ])("reads %s by --date-format dd/mm/yyyy", async (credit_date, expected) => {
    const file = await read(csv([row({ credit_date })]), undefined, { dateFormat: "dd/mm/yyyy" });
    expect(file.problems).toEqual([]);
    expect(file.rows[0]?.creditedOn).toBe(expected);
    expect((await refusal({ credit_date }))[0]).toContain("--date-format dd/mm/yyyy");
  });

  it.each(["11/16/2026", "31/11/2026", "2026-11-16", "16/11/26", "16/11-2026", "16 Nov 2026"])(
    "does not read %s by it",
    async (credit_date) => {
      expect(await refusal({ credit_date }, { dateFormat: "dd/mm/yyyy" })).toHaveLength(1);
    },
  );

  it.each([
    ["1,23,456.00", 123_456_00n],
    ["12,345.00", 12_345_00n],
    ["1,00,00,000", 1_00_00_000_00n],
    ["123456.50", 123_456_50n],
    ["999", 999_00n],
  ])("reads %s by --amounts indian", async (gross, expected) => {
    const file = await read(csv([row({ gross: `"${gross}"` })]), undefined, { amounts: "indian" });
    expect(file.problems).toEqual([]);
    expect(file.rows[0]?.grossPaise).toBe(expected);
  });

  it.each(["123,456.00", "1,2,345.00", "1,23,45", ",123.00", "12,34,567.5", "1.23.456,00"])(
    "does not read %s by it",
    async (gross) => {
      const printed = await refusal({ gross: `"${gross}"` }, { amounts: "indian" });
      expect(printed).toEqual([expect.stringContaining("grouped as in India")]);
    },
  );

  it("names the option when it is not given", async () => {
    const [printed] = await refusal({ gross: '"1,23,456.00"' });
    expect(printed).toContain("--amounts indian");
  });
});
