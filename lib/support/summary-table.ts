/** A table of the run summary. Cells are plain text; whatever they hold can't leave its cell. */
export interface SummaryTable {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** How many rows are not listed; printed as "and N more". */
  more?: number;
}
