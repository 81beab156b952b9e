import type { SqlPart } from "../db/client.ts";
import type { FindingKind, FindingSeverity } from "../findings/index.ts";
import type { CheckRules } from "./settings.ts";

/** One rule over the records, which finds the rows that break it. A check is one small file of this room. */
export interface Check {
  /** Also the kind of its findings. */
  name: FindingKind;
  severity: FindingSeverity;
  /** Describes such a row to an operator: a sentence without its full stop. */
  sentence: string;
  /**
   * Selects `subject_type, subject_id, details` (jsonb) of each row that breaks the rule. Details name ids and paise and
   * do not change from day to day, so that a finding that a person resolved stays resolved. `undefined`: switched off.
   */
  rows: (rules: CheckRules) => SqlPart | undefined;
}
