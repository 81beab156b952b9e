import type { ColumnName } from "./columns.ts";
import type { Problem } from "./problems.ts";

/** The values of one row by column, trimmed, and the problems found while they are read. */
export class RowReader {
  readonly problems: Problem[] = [];
  readonly #values = new Map<ColumnName, string>();
  readonly #line: number;
  readonly #blocked = new Set<ColumnName>();
  readonly columns: readonly ColumnName[];

  constructor(cells: readonly string[], columns: readonly ColumnName[], line: number) {
    this.#line = line;
    this.columns = columns;
    columns.forEach((column, index) => this.#values.set(column, (cells[index] ?? "").trim()));
  }

  /** Empty when the cell is, or when the file has no such column. */
  text(column: ColumnName): string {
    return this.#values.get(column) ?? "";
  }

  has(column: ColumnName): boolean {
    return this.text(column) !== "";
  }

  refuse(column: ColumnName, message: string): void {
    if (this.isBlocked(column)) return;
    this.problems.push({ line: this.#line, column, message });
  }

  /** Refuses a value for good: later problems of the value follow from this one and are not reported. */
  block(column: ColumnName, message: string): void {
    this.refuse(column, message);
    this.#blocked.add(column);
  }

  isBlocked(column: ColumnName): boolean {
    return this.#blocked.has(column);
  }

  missing(column: ColumnName): void {
    this.refuse(column, "is empty; a value is required");
  }

  /** One of a few words, in any case; `undefined` when empty or refused. */
  choice<Word extends string>(column: ColumnName, words: readonly Word[]): Word | undefined {
    if (!this.has(column)) return undefined;
    const text = this.text(column).toLowerCase();
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) this.refuse(column, `expected one of ${words.join(", ")}`);
    return word;
  }

  yesNo(column: ColumnName): boolean | undefined {
    const word = this.choice(column, ["yes", "no"]);
    return word === undefined ? undefined : word === "yes";
  }
}
