/** Our account at the provider: its transactions, and the proof that its days add up. */
export { readStatement, type StatementPorts, type StatementReport } from "./read-statement.ts";
