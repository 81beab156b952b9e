/** A table of the run summary. Cells are plain text and are escaped, so that no text leaves its cell. */
export interface SummaryTable {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** How many rows are not listed; printed as "and N more". */
  more?: number;
}
