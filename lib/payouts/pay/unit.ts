import type { CapRefusal } from "./caps.ts";
import type { ClaimedPayout } from "../state/decide.ts";
import type { DuePayoutOfPayee } from "../state/due.ts";
import type { PayoutGroups } from "./groups.ts";
import type { PayoutPorts } from "./ports.ts";
import type { RefusalGate } from "./refusal-gate.ts";
import type { ItemOutcome } from "./report.ts";
import type { AttemptRef, Settlement } from "../state/outcome.ts";
import type { RunFault } from "../../support/verdict.ts";
import type { ProviderPayout } from "../../provider/index.ts";

/** The result of one payout, and whether the run can continue. */
export type UnitResult =
  | {
      outcome: "succeeded";
      payout: ClaimedPayout;
      settlement: Settlement;
      /** Absent when tax took all of it and nothing was sent. */
      accepted?: { ref: AttemptRef; provider: ProviderPayout };
    }
  | {
      outcome: Exclude<ItemOutcome, "succeeded" | "planned" | "held">;
      code: string;
      message: string;
      payout?: ClaimedPayout;
      fault?: RunFault;
      /** An unexpected database error for this payout. Several in a row stop the run. */
      error?: unknown;
    };

export interface UnitPorts extends PayoutPorts {
  readonly groups: PayoutGroups;
  /** All requests that may be refused pass it. */
  readonly gate: RefusalGate;
  /** Ends a call to the provider that would outlast the time a stopping run has. */
  readonly hardStop: AbortSignal;
  /** Called when this run has won the payout, with any result. */
  readonly onClaimed: () => void;
  /** Refuses a claimed payout that would take the run over a cap. */
  readonly reserve: (payout: ClaimedPayout) => CapRefusal | undefined;
}

/** A due payout, or one left behind by a dead run. */
export type Unit = DuePayoutOfPayee & { claimedBy?: string };

/** Left as it was, with the reason. */
export function skipped(
  code: string,
  message: string,
): { outcome: "skipped"; code: string; message: string } {
  return { outcome: "skipped", code, message };
}
