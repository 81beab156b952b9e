import { keepItem, mostUrgentFirst, type KeptItems } from "./kept-items.ts";
import { formatRupees, type Paise } from "./money.ts";
import { countReason, type ReasonCount } from "./reasons-table.ts";
import type { SummaryTable } from "./summary-table.ts";

/** Names a row of the summary. A run and a dry run may have two names; without a name there is no row. */
type Label = string | { readonly run?: string; readonly dryRun?: string };

/** One counter of a report, declared under its name. */
export interface Counter {
  /** Default: no row. Counters of one unit with the same label share a row, which shows their sum. */
  readonly label?: Label;
  /** Whether the row is left out while the counter is zero. Default: no. */
  readonly onlyIfAny?: true;
  /** Default: a number of things. */
  readonly unit?: "paise";
  /** Name of the step output; default: the name of the counter in snake_case. `false`: no output. */
  readonly output?: string | false;
  /** Items with this outcome are counted here. */
  readonly outcome?: string;
  /** Of items with this outcome: 0 (the default) is the most urgent, `WENT_WELL` needs no look. */
  readonly rank?: number;
}

/** The rank of items that need no look: dropped first, without a reason, and in no table. */
export const WENT_WELL = 9;

type Counters = Readonly<Record<string, Counter>>;

type Counts<C> = {
  -readonly [Name in keyof C]: C[Name] extends { unit: "paise" } ? Paise : number;
};

type Outcome<C> = {
  [Name in keyof C]: C[Name] extends { outcome: infer Of extends string } ? Of : never;
}[keyof C];

type Value = string | number | Paise | null | undefined;

/** Everything that follows from the declared counters of a report. */
export interface ReportCounters<C extends Counters> {
  /** All counters at zero. */
  readonly empty: (dryRun: boolean) => Counts<C> & { dryRun: boolean };
  /** Counts one item by its outcome. */
  readonly count: (report: Counts<C>, outcome: Outcome<C>) => void;
  readonly rank: (item: { readonly outcome: Outcome<C> }) => number;
  /** The counters as step outputs. */
  readonly outputs: (report: Counts<C>) => Record<string, string | number>;
  /** Label and value of each counter, of one unit or of all, in the order of declaration. */
  readonly rows: (
    report: Counts<C> & { dryRun: boolean },
    unit?: "count" | "paise",
  ) => [string, string][];
}

/** The counters of a report that these declare, and whether the run was dry. */
export type CountedBy<R> =
  R extends ReportCounters<infer C> ? Counts<C> & { dryRun: boolean } : never;

/** The outcomes of items that these counters count. */
export type OutcomeOf<R> = R extends ReportCounters<infer C> ? Outcome<C> : never;

/** Declares the counters of a report, in the order of the outputs and of the summary. */
export function reportCounters<const C extends Counters>(declared: C): ReportCounters<C> {
  const all = Object.entries<Counter>(declared);
  const byOutcome = new Map(all.map(([name, { outcome }]) => [outcome, name]));
  const valuesOf = (report: Counts<C>): Record<string, number | Paise> => report;
  return {
    empty: (dryRun) => {
      const zeros = all.map(([name, { unit }]) => [name, unit === "paise" ? 0n : 0]);
      return { dryRun, ...(Object.fromEntries(zeros) as Counts<C>) };
    },
    count: (report, outcome) => {
      const values = valuesOf(report);
      const name = byOutcome.get(outcome) ?? "";
      values[name] = Number(values[name]) + 1;
    },
    rank: ({ outcome }) => declared[byOutcome.get(outcome) ?? ""]?.rank ?? 0,
    outputs: (report) => {
      const values = valuesOf(report);
      return Object.fromEntries(
        all.flatMap(([name, { output = snakeCase(name) }]) => {
          const value = values[name] ?? "";
          return output === false ? [] : [[output, typeof value === "bigint" ? `${value}` : value]];
        }),
      );
    },
    rows: (report, only) => {
      const values = valuesOf(report);
      const rows: { label: string; unit: string; sum: bigint }[] = [];
      for (const [name, { label: names, unit = "count", onlyIfAny = false }] of all) {
        const label = typeof names === "object" ? names[report.dryRun ? "dryRun" : "run"] : names;
        if (label === undefined || (only ?? unit) !== unit) continue;
        const value = BigInt(values[name] ?? 0);
        if (onlyIfAny && value === 0n) continue;
        const same = rows.find((row) => row.label === label && row.unit === unit);
        if (same) same.sum += value;
        else rows.push({ label, unit, sum: value });
      }
      return rows.map(({ label, unit, sum }) => [
        label,
        unit === "paise" ? formatRupees(sum) : String(sum),
      ]);
    },
  };
}

/** `Would be sent` in a dry run, and `sent` in a run. */
export function would(done: string): { run: string; dryRun: string } {
  return { run: done, dryRun: `Would be ${done}` };
}

/** Items of a report that each have a reason. */
export interface NotedItems<Item> extends KeptItems<Item> {
  /** Every item that needs a look is counted, also where the item itself is not kept. */
  reasons: ReasonCount[];
}

export function nothingNoted<Item>(): NotedItems<Item> {
  return { reasons: [], items: [], itemsLeftOut: 0 };
}

/** Counts the reason of an item unless it went well, and keeps the item. */
export function noteItem<Item extends { outcome: string; code: string }>(
  report: NotedItems<Item>,
  item: Item,
  { rank, ...of }: { rank: (item: Item) => number; id: string; amountPaise?: Paise },
): void {
  const { outcome, code } = item;
  if (rank(item) < WENT_WELL) countReason(report.reasons, { outcome, code, ...of });
  keepItem(report, item, { rank });
}

type Field<Item> = {
  [Name in keyof Item]-?: Item[Name] extends Value ? Name : never;
}[keyof Item];

/** By its heading: a field of the item, or text made of the item. */
export type Columns<Item> = Readonly<Record<string, Field<Item> | ((item: Item) => string)>>;

/** One row for each item. Amounts are in rupees. `more`: rows that are left out. */
export function itemsTable<Item>(
  title: string,
  columns: Columns<Item>,
  items: readonly Item[],
  more = 0,
): SummaryTable {
  const rows = items.map((item) => fieldRows(columns, item).map(([, text]) => text));
  return { title, columns: Object.keys(columns), rows, more };
}

/** One row for each field of one item: heading and text. */
export function fieldRows<Item>(columns: Columns<Item>, item: Item): [string, string][] {
  return Object.entries(columns).map(([heading, of]) => [
    heading,
    typeof of === "function" ? of(item) : cell(item[of] as Value),
  ]);
}

/**
 * The items of a report that need a look, the most urgent first.
 *
 * @param total how many there are, kept or not; default: those that are kept and those that are left out
 */
export function keptTable<Item>(
  title: string,
  columns: Columns<Item>,
  {
    report,
    rank,
    total,
  }: {
    report: KeptItems<Item>;
    rank: (item: Item) => number;
    total?: number;
  },
): SummaryTable {
  const items = mostUrgentFirst(
    report.items.filter((item) => rank(item) < WENT_WELL),
    rank,
  );
  const more = total === undefined ? report.itemsLeftOut : total - items.length;
  return itemsTable(title, columns, items, more);
}

/** `1.5` hours, for a column of ages. */
export function inHours(ms: number): string {
  return (ms / 3_600_000).toFixed(1);
}

function cell(value: Value): string {
  return typeof value === "bigint" ? formatRupees(value) : String(value ?? "");
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
