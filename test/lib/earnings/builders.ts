import { Readable } from "node:stream";
import {
  readEarningsFile,
  type EarningsFile,
  type ReadOptions,
} from "../../../lib/earnings/index.ts";
import type { ColumnName } from "../../../lib/earnings/columns.ts";
import { formatProblems } from "../../../lib/earnings/problems.ts";
import type { FileLimits } from "../../../lib/earnings/read-options.ts";
import type { Clock } from "../../../lib/support/clock.ts";

/** 22 November 2026, 10:00 in India. */
export const clock: Clock = { now: () => new Date("2026-11-22T04:30:00Z"), monotonicMs: () => 0 };

export type Cells = Partial<Record<ColumnName, string>>;

export const defaultColumns: ColumnName[] = [
  "consultant",
  "name",
  "pan",
  "category",
  "ifsc",
  "account_number",
  "vpa",
  "booking_reference",
  "credit_date",
  "gross",
  "platform_fee",
  "resident",
  "aadhaar",
  "pan_status",
];

/** A good row of an individual with a bank account; `overrides` changes cells. */
export function row(overrides: Cells = {}): Cells {
  return {
    consultant: "C-001",
    name: "Asha Example",
    pan: "ZZZPE1234A",
    category: "individual",
    ifsc: "HDFC0001220",
    account_number: "912345678901",
    booking_reference: "BK-1",
    credit_date: "2026-11-16",
    gross: "1000.00",
    platform_fee: "150.00",
    ...overrides,
  };
}

/** Several good rows of one consultant, with bookings of their own. */
export function rowsOf(consultant: string, count: number, overrides: Cells = {}): Cells[] {
  return Array.from({ length: count }, (_, index) =>
    row({ consultant, booking_reference: `BK-${consultant}-${index + 1}`, ...overrides }),
  );
}

export function csv(
  rows: readonly Cells[],
  columns: readonly ColumnName[] = defaultColumns,
): string {
  const lines = rows.map((cells) => columns.map((column) => cells[column] ?? "").join(","));
  return [columns.join(","), ...lines, ""].join("\n");
}

export function read(
  content: string | Uint8Array,
  chunkBytes = 65_536,
  options: ReadOptions & { limits?: FileLimits } = {},
): Promise<EarningsFile> {
  const bytes = Buffer.from(content);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    chunks.push(bytes.subarray(start, start + chunkBytes));
  }
  return readEarningsFile(Readable.from(chunks), { ...options, clock });
}

/** The problems of a text as they are printed, for a file called `week.csv`. */
export async function problemsOf(
  content: string | Uint8Array,
  options: ReadOptions & { limits?: FileLimits } = {},
): Promise<string[]> {
  const { problems } = await read(content, undefined, options);
  return formatProblems("week.csv", problems);
}
