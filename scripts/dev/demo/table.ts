import Table from "cli-table3";

/** A table in a frame; columns from `numbersFrom` on stand to the right. */
export function tableOf(
  head: string[],
  rows: readonly (string | number)[][],
  { numbersFrom = head.length }: { numbersFrom?: number } = {},
): string {
  const colAligns = head.map((_, index) => (index < numbersFrom ? "left" : "right"));
  const table = new Table({ head, colAligns, style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString();
}
