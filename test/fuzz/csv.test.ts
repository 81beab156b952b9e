import fc from "fast-check";
import { expect } from "vitest";
import { formatProblems } from "../../lib/earnings/index.ts";
import type { ColumnName } from "../../lib/earnings/columns.ts";
import { csv, defaultColumns, read, row, type Cells } from "../lib/earnings/builders.ts";
import { fuzz } from "../support/fuzz.ts";

const PAN = "ZZZPE1234A";
const ACCOUNT = "912345678901";

const cell = fc.oneof(
  fc.constantFrom("", " ", "0", "-1", "1e5", "1,000.00", "=1+1", "2026-13-40", "16/11/2026", "yes"),
  fc.constantFrom("1000.00", "150.00", "HDFC0001220", "individual", "company", "valid", PAN),
  fc.constantFrom("\u0000", "\u202e", "\u200b", "\ufeff", "९८", '"', '""', "\n", "\r", ";", "\t"),
  fc.constantFrom("asha@okmadeup", ACCOUNT, "9.12346E+11", "x".repeat(2_000)),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const overrides = fc.dictionary(fc.constantFrom(...defaultColumns), cell, {
  maxKeys: 3,
}) as fc.Arbitrary<Cells>;

const goodRow = fc
  .tuple(fc.nat(5), fc.nat(999_999), fc.nat(10_000))
  .map(([payee, gross, booking]): Cells =>
    row({
      consultant: `C-${payee}`,
      name: `Asha ${"ABCDEF"[payee] ?? ""}`,
      pan: `ZZZPE123${payee}A`,
      account_number: `91234567890${payee}`,
      booking_reference: `BK-${payee}-${booking}`,
      gross: `${gross + 200}.50`,
      platform_fee: "150.00",
    }),
  );
const goodRows = fc.uniqueArray(goodRow, {
  minLength: 1,
  maxLength: 8,
  selector: ({ booking_reference }) => booking_reference,
});
const quoted = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const quotedRow = (cells: Cells): Cells =>
  Object.fromEntries(Object.entries(cells).map(([name, text]) => [name, quoted(text)]));

/** A file as finance exports it, with changed cells, columns and bytes. */
const bytes = fc.oneof(
  fc.tuple(goodRows, overrides, fc.nat(8), fc.boolean()).map(([rows, change, at, isQuoted]) => {
    const changed = rows.map((each, index) => (index === at ? { ...each, ...change } : each));
    return Buffer.from(csv(isQuoted ? changed.map(quotedRow) : changed));
  }),
  fc
    .tuple(goodRows, fc.shuffledSubarray(defaultColumns), fc.array(cell, { maxLength: 3 }))
    .map(([rows, columns, extra]) =>
      Buffer.from(csv(rows, [...columns, ...extra] as ColumnName[])),
    ),
  fc
    .tuple(goodRows, fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 6 }))
    .map(([rows, writes]) => {
      const file = Buffer.from(csv(rows));
      for (const [at, value] of writes) file[at % file.length] = value;
      return file;
    }),
  fc.tuple(goodRows, fc.nat(2_000), fc.nat(400)).map(([rows, from, length]) => {
    const file = Buffer.from(csv(rows));
    const start = from % file.length;
    return Buffer.concat([file.subarray(0, start), file.subarray(start + length)]);
  }),
  fc.uint8Array({ maxLength: 400 }).map((content) => Buffer.from(content)),
  fc.constantFrom(
    Buffer.from(""),
    Buffer.from("\ufeff"),
    Buffer.from('"'.repeat(120_000)),
    Buffer.from(",".repeat(20_000)),
    Buffer.from(csv([row()]), "utf16le"),
    Buffer.from(`${csv([row()])}"never closed${"x".repeat(110_000)}`),
  ),
);

fuzz({
  "a file of any bytes is read to its end: rows, problems, and no error": fc.asyncProperty(
    bytes,
    fc.constantFrom(7, 65_536),
    async (content, chunk) => {
      const file = await read(content, Math.max(chunk, Math.ceil(content.length / 500)));
      expect(file.rows.length).toBeLessThanOrEqual(file.rowCount);
      for (const each of file.rows) {
        expect(each.amountPaise).toBe(
          each.grossPaise - each.platformFeePaise - (each.paidDirectlyPaise ?? 0n),
        );
        expect(each.amountPaise).toBeGreaterThanOrEqual(0n);
        expect(file.consultants.has(each.consultantRef)).toBe(true);
      }
      if (file.problems.length === 0) expect(file.rows).toHaveLength(file.rowCount);
      expect(formatProblems("week.csv", file.problems).every((line) => line !== "")).toBe(true);
    },
  ),

  "the size of the chunks changes nothing": fc.asyncProperty(
    bytes,
    fc.integer({ min: 1, max: 50 }),
    async (content, chunk) => {
      const short = content.subarray(0, 20_000);
      const [one, other] = [await read(short, chunk), await read(short, 65_536)];
      // Of a file that cannot be read to its end, some rows may be read first.
      if (other.problems.length === 0) expect(one).toEqual(other);
      else expect(one.problems).not.toEqual([]);
    },
  ),

  "no problem repeats a PAN or an account number": fc.asyncProperty(
    goodRows,
    overrides,
    async (rows, change) => {
      const [first, ...rest] = rows;
      const content = csv([{ ...first, pan: PAN, account_number: ACCOUNT, ...change }, ...rest]);
      const file = await read(content);
      const said = formatProblems("week.csv", file.problems, Infinity).join("\n");
      expect(said).not.toContain(PAN);
      expect(said).not.toContain(ACCOUNT);
      for (const { pan, account_number } of rows) {
        expect(said).not.toContain(pan);
        expect(said).not.toContain(account_number);
      }
    },
  ),

  "rows that were taken are written and read again as they were": fc.asyncProperty(
    bytes,
    async (content) => {
      const file = await read(content.subarray(0, 20_000));
      if (file.problems.length > 0) return;
      const again = await read(csv(file.rows.map((each) => quotedRow(rewritten(each, file)))));
      expect(again.problems).toEqual([]);
      const withoutLine = (each: object): unknown => ({ ...each, line: 0 });
      expect(again.rows.map(withoutLine)).toEqual(file.rows.map(withoutLine));
    },
  ),
});

type Read = Awaited<ReturnType<typeof read>>;

function rewritten(each: Read["rows"][number], { consultants }: Read): Cells {
  const details = consultants.get(each.consultantRef)?.details;
  if (details === undefined) throw new Error(`no consultant ${each.consultantRef}`);
  const { account } = details;
  const flag = (value: boolean | undefined): string =>
    value === undefined ? "" : value ? "yes" : "no";
  return {
    consultant: each.consultantRef,
    name: details.name ?? "",
    pan: details.pan ?? "",
    category: details.category,
    resident: flag(details.resident),
    aadhaar: flag(details.aadhaar),
    pan_status: details.panStatus ?? "",
    ...(account.kind === "vpa"
      ? { vpa: account.vpa }
      : { ifsc: account.ifsc, account_number: account.accountNumber }),
    booking_reference: each.bookingReference,
    credit_date: each.creditedOn,
    gross: rupees(each.grossPaise),
    platform_fee: rupees(each.platformFeePaise),
  };
}

function rupees(paise: bigint): string {
  return `${paise / 100n}.${(paise % 100n).toString().padStart(2, "0")}`;
}
