import type { SettledRefund } from "./settle-refund.ts";
import type { RunFault } from "../../support/verdict.ts";

/** The result of one leg in this run. */
export type LegOutcome =
  /** The money is back. */
  | "processed"
  /** The provider has it and has not finished. */
  | "pending"
  /** Refused for certain, or accepted and then failed: no money moved. */
  | "failed"
  /** Sent, with an unknown outcome. */
  | "unknown"
  /** Asked: not there yet, and too soon to be sure. */
  | "waiting"
  /** Certainly not there: due again, with the same key and bytes. */
  | "due-again"
  /** The provider could not be asked; the leg is as it was. */
  | "unanswered"
  /** Our record and the provider's differ; a finding is stored. */
  | "conflict"
  /** Left as it was: another run has it, or this run stops. */
  | "skipped"
  /** Could not be written, for a reason of this row; it is as it was. */
  | "left"
  /** Dry run: would be sent or credited. */
  | "planned";

export interface LegResult {
  outcome: LegOutcome;
  /** Stable: `CLAIMED_ELSEWHERE`, `timeout`, or the provider's reason. */
  code: string;
  message: string;
  fault?: RunFault;
  /** How the provider refused it, as refusals in a row are compared. */
  refusedAs?: string | undefined;
  settled?: SettledRefund | undefined;
}
