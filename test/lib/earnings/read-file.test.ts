import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readEarningsFile } from "../../../lib/earnings/index.ts";
import { formatProblems } from "../../../lib/earnings/problems.ts";
import { clock, csv, problemsOf, read, row, rowsOf } from "./builders.ts";

describe("reading a file", () => {
  it("reads a row exactly, in paise", async () => {
    const file = await read(csv([row({ gross: "1234.50", platform_fee: "123.45" })]));

    expect(file.problems).toEqual([]);
    expect(file.rowCount).toBe(1);
    expect(file.rows).toEqual([
      {
        line: 2,
        consultantRef: "C-001",
        bookingReference: "BK-1",
        creditedOn: "2026-11-16",
        grossPaise: 123_450n,
        platformFeePaise: 12_345n,
        paidDirectlyPaise: 0n,
        amountPaise: 111_105n,
      },
    ]);
    expect(file.consultants.get("C-001")).toMatchObject({
      line: 2,
      details: {
        ref: "C-001",
        name: "Asha Example",
        account: { kind: "bank_account", ifsc: "HDFC0001220", accountNumber: "912345678901" },
      },
    });
  });

  it("takes a byte order mark, CRLF, quotes, blank lines and rows of empty cells", async () => {
    const text = csv([
      row({ name: '"Asha, ""the"" Example"' }),
      {},
      row({ name: '"Asha, ""the"" Example"', booking_reference: "BK-2" }),
    ]).replaceAll("\n", "\r\n");

    const file = await read(`\uFEFF${text}\r\n\r\n`);

    expect(file.problems).toEqual([]);
    expect(file.rows.map(({ line }) => line)).toEqual([2, 4]);
    expect(file.consultants.get("C-001")?.details.name).toBe('Asha, "the" Example');
  });

  it("reads the same whatever the size of the chunks, also inside a character", async () => {
    const text = csv([row({ name: "Āśā ₹ उदाहरण" }), row({ booking_reference: "BK-2", name: "" })]);

    for (const chunkBytes of [1, 2, 3, 7, 1000]) {
      const file = await read(text, chunkBytes);
      expect(file.problems).toEqual([]);
      expect(file.rows).toHaveLength(2);
      expect(file.consultants.get("C-001")?.details.name).toBe("Āśā ₹ उदाहरण");
    }
  });

  it("refuses an empty file, blank lines alone, and a header alone", async () => {
    const expected = "expected a header and one row for each earning";
    expect(await problemsOf("")).toEqual([`week.csv: the file is empty; ${expected}`]);
    expect(await problemsOf("\n\n")).toEqual([`week.csv: the file is empty; ${expected}`]);
    expect(await problemsOf(csv([]))).toEqual([
      `week.csv: the file has a header and no rows; ${expected}`,
    ]);
  });

  it("names the line on which a file stops being UTF-8", async () => {
    const good = Buffer.from(csv([row()]));
    const latin1 = Buffer.from(csv([row({ booking_reference: "BK-2", name: "Renée" })]), "latin1");

    expect(await problemsOf(Buffer.concat([good, latin1]))).toEqual([
      "week.csv:4: the file is not UTF-8; save it as “CSV UTF-8”",
    ]);
  });

  it("refuses a binary file", async () => {
    expect(await problemsOf(Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 10, 1]))).toEqual([
      "week.csv:1: the file is binary; expected CSV text in UTF-8",
    ]);
    expect(await problemsOf(Buffer.from(`\uFEFF${csv([row()])}`, "utf16le"))).toHaveLength(1);
    expect(await problemsOf("x".repeat(2_000_000))).toEqual([
      "week.csv:1: the line is longer than a megabyte; expected a CSV file",
    ]);
  });

  it("reads a file of the largest size whole, and refuses a larger one as a whole", async () => {
    const rest = "import at most so much at once: divide the file";
    const rows = csv(rowsOf("C-001", 3));
    const bytes = { mostBytes: 2 ** 20, mostRows: 9 };
    const lines = rows.padEnd(bytes.mostBytes, `${" ".repeat(999)}\n`);
    expect(await problemsOf(lines, { limits: bytes })).toEqual([]);
    expect(await problemsOf(`${lines}\n`, { limits: bytes })).toEqual([
      `week.csv: the file has more than 1 MiB; ${rest}`,
    ]);

    expect(await problemsOf(rows, { limits: { ...bytes, mostRows: 3 } })).toEqual([]);
    expect(await problemsOf(rows, { limits: { ...bytes, mostRows: 2 } })).toEqual([
      `week.csv: the file has more than 2 rows; ${rest}`,
    ]);
  });

  it("reads no more of a file without an end than its limit", async () => {
    let given = 0;
    function* endless(): Generator<Buffer> {
      for (;;) {
        given += 1;
        yield Buffer.from(`1,2,${"3".repeat(993)}\n`.repeat(60));
      }
    }
    const { problems } = await readEarningsFile(Readable.from(endless()), {
      clock,
      limits: { mostBytes: 2 ** 20, mostRows: 1_000_000 },
    });
    expect(formatProblems("week.csv", problems)[0]).toContain("the file has more than 1 MiB");
    expect(given).toBeLessThan(100);
  });

  it("refuses a row with too few or too many values, and still reads the others", async () => {
    const text = csv([row(), row({ booking_reference: "BK-2" })]);

    expect(await problemsOf(`${text}only,two\n${",".repeat(14)}x\n`)).toEqual([
      "week.csv:4: 2 values, expected 14 as in the header",
      "week.csv:5: 15 values, expected 14 as in the header",
    ]);
  });

  it("names the line of a quote that is never closed or stands inside a value", async () => {
    const text = csv([row()]);

    expect(await problemsOf(`${text}"open,\n${text}`)).toEqual([
      "week.csv:3: a quoted value is not closed, or the row has no end; the rows after it were not read",
    ]);
    expect(await problemsOf(`${text}a"b,c\n${text}`)).toEqual([
      "week.csv:3: a quote is inside a value; double it inside quotes; the rows after it were not read",
    ]);
  });

  it("counts lines, not rows, when a quoted value has a line break", async () => {
    const text = csv([
      row({ name: '"Asha\r\nExample"' }),
      row({ consultant: "C-002", booking_reference: "BK-2", gross: "x" }),
    ]);

    expect(await problemsOf(text)).toEqual([
      "week.csv:2 column name: expected at most 100 printable characters on one line",
      "week.csv:4 column gross: expected rupees with two decimals or none and no grouping, such as 1234.50",
    ]);
  });

  it("collects the problems of all rows and prints the first fifty", async () => {
    const bad = { gross: "0", pan: "nonsense" };
    const { problems, rows } = await read(csv(rowsOf("C-001", 40, bad)));

    expect(rows).toEqual([]);
    expect(problems).toHaveLength(80);
    const printed = formatProblems("week.csv", problems);
    expect(printed).toHaveLength(51);
    expect(printed.at(-1)).toBe("… and 30 more");
  });
});

describe("rows of one file", () => {
  it("refuses a booking reference that stands twice, naming both lines", async () => {
    const rows = [row(), row({ booking_reference: "BK-2" }), row()];

    expect(await problemsOf(csv(rows))).toEqual([
      "week.csv:4 column booking_reference: line 4 repeats the booking reference of line 2; each may occur once",
    ]);
  });

  it("finds a repeated booking also where one of the rows is bad otherwise", async () => {
    const printed = await problemsOf(csv([row({ gross: "" }), row()]));

    expect(printed).toHaveLength(2);
    expect(printed[1]).toMatch(/line 3 repeats the booking reference of line 2/);
  });

  it("refuses rows of one consultant that disagree, naming both lines and no value", async () => {
    const rows = [
      row(),
      row({ booking_reference: "BK-2", name: "Asha Other" }),
      row({ booking_reference: "BK-3", pan: "ZZZPE9999B" }),
      row({ booking_reference: "BK-4", pan: "ZZZHE1234A", category: "huf" }),
      row({ booking_reference: "BK-5", account_number: "912345678999" }),
      row({ booking_reference: "BK-6", ifsc: "", account_number: "", vpa: "asha@demobank" }),
      row({ booking_reference: "BK-7", ifsc: "HDFC0003982" }),
    ];

    const printed = await problemsOf(csv(rows));

    expect(printed).toEqual([
      "week.csv:3 column name: the name differs from line 2; rows of one consultant must agree (lines 2 and 3)",
      "week.csv:4 column pan: the PAN differs from line 2; rows of one consultant must agree (lines 2 and 4)",
      "week.csv:5 column pan: the PAN differs from line 2; rows of one consultant must agree (lines 2 and 5)",
      "week.csv:5 column category: the category differs from line 2; rows of one consultant must agree (lines 2 and 5)",
      "week.csv:6 column account_number: the payout account differs from line 2; rows of one consultant must agree (lines 2 and 6)",
      "week.csv:7 column account_number: the payout account differs from line 2; rows of one consultant must agree (lines 2 and 7)",
      "week.csv:8 column ifsc: the IFSC differs from line 2; rows of one consultant must agree (lines 2 and 8)",
    ]);
  });

  it("lets a row leave an optional value open, and refuses a later row that contradicts it", async () => {
    const open = row({ name: "", resident: "" });
    const rows = [
      open,
      row({ booking_reference: "BK-2", resident: "no" }),
      row({ booking_reference: "BK-3", name: "", resident: "yes" }),
    ];

    expect(await problemsOf(csv(rows))).toEqual([
      "week.csv:4 column resident: the residence differs from line 3; rows of one consultant must agree (lines 3 and 4)",
    ]);
    const file = await read(csv(rows.slice(0, 2)));
    expect(file.consultants.get("C-001")?.details).toMatchObject({
      name: "Asha Example",
      resident: false,
    });
  });
});
