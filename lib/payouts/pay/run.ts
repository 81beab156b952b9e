import { setMaxListeners } from "node:events";
import { seconds, sleep } from "../../support/clock.ts";
import type { ProviderPayout } from "../../provider/index.ts";
import type { RunFault } from "../../support/verdict.ts";
import type { ClaimedPayout } from "../state/decide.ts";
import type { DuePayoutOfPayee } from "../state/due.ts";
import { recordOutcomes, type Recording, type Settlement } from "../state/outcome.ts";
import { ClaimLostError } from "../state/release.ts";
import { createBatcher } from "./batcher.ts";
import { createCapGuard, type CapRefusal } from "./caps.ts";
import type { PayoutPorts } from "./ports.ts";
import { createRefusalGate, type RefusalGate } from "./refusal-gate.ts";
import type { ItemOutcome } from "./report.ts";

/** The largest number of rows in a transaction; see docs/decisions/0010-batches-of-a-pay-run.md. */
export const MOST_IN_BATCH = 100;

/** How long a run that was told to stop waits for the answers it has asked for. */
const GRACE_MS = seconds(4);

/** A due payout, or one left behind by a dead run. */
export type DueItem = DuePayoutOfPayee & { claimedBy?: string };

/** The provider has the payout, or tax took all of it. */
interface Succeeded {
  outcome: "succeeded";
  payout: ClaimedPayout;
  settlement: Settlement;
  /** Absent when nothing was sent. */
  accepted?: ProviderPayout;
}

/** The provider refused it, may have it, or was not asked. */
interface NotSucceeded {
  outcome: Exclude<ItemOutcome, "succeeded" | "planned" | "held">;
  code: string;
  message: string;
  payout?: ClaimedPayout;
  /** Why the run as a whole must end. */
  fault?: RunFault;
  /** An unexpected database error for this payout. Several in a row stop the run. */
  error?: unknown;
}

/** An error that every other payout would meet as well; nothing was sent. */
interface RunEnded {
  outcome: "run-ended";
  isClaimed: boolean;
  error: unknown;
}

/** The result of one payout, and whether the run can continue. */
export type PayResult = Succeeded | NotSucceeded | RunEnded;

/** A provider's answer as a result; its payout is added when the answer is recorded. */
export type AnswerResult = Omit<Succeeded, "payout"> | NotSucceeded;

/** Takes the result of a payout whose way in this run has ended. */
export type End = (item: DueItem, result: PayResult) => void;

/** Takes the results of a page. */
export interface PageResults {
  readonly end: End;
  /** Called for each payout that this run has won, with any result. */
  readonly onClaimed: (item: DueItem) => void;
}

/** What all payouts of a run share. */
export interface PayRun extends PayoutPorts {
  /** All requests that may be refused pass it. */
  readonly gate: RefusalGate;
  /** Ends a call to the provider that would outlast the time a stopping run has. */
  readonly hardStop: AbortSignal;
  /** Refuses a claimed payout that would take the run over a cap. */
  readonly reserve: (payout: ClaimedPayout) => CapRefusal | undefined;
  /** Waits for the request; answers of requests that are under way at the same time are recorded together. */
  readonly underWay: <T>(request: () => Promise<T>) => Promise<T>;
  /** Records an answer with others, in one transaction. @throws {ClaimLostError} */
  readonly record: (recording: Recording) => Promise<void>;
  /** Why this run sends nothing more; undefined as long as it may. */
  readonly stop: () => StopReason | undefined;
}

export interface StopReason {
  code: string;
  message: string;
  fault?: RunFault;
}

export const STOPPING: StopReason = {
  code: "STOPPING",
  message: "the run was told to stop; nothing was sent",
};

/** @param faultOf why the run as a whole must end, by the results so far */
export function createRun(
  ports: PayoutPorts,
  faultOf: () => RunFault | undefined,
): PayRun & { close: () => void } {
  const { db, runId, signal } = ports;
  const gate = createRefusalGate();
  const { hardStop, close } = stopAfterGrace(signal);
  let requests = 0;
  const record = createBatcher<Recording, boolean>({
    most: MOST_IN_BATCH,
    moreToCome: () => requests > 0,
    work: async (recordings) => {
      const lost = await recordOutcomes(db, { runId }, recordings);
      return recordings.map(({ payoutId }) => !lost.has(payoutId));
    },
  });
  return {
    ...ports,
    gate,
    hardStop,
    close,
    reserve: createCapGuard(ports.settings.caps),
    underWay: async (request) => {
      requests++;
      try {
        return await request();
      } finally {
        requests--;
      }
    },
    record: async (recording) => {
      if (!(await record(recording))) throw new ClaimLostError(recording.payoutId);
    },
    stop: () => {
      const fault = faultOf() ?? gate.fault;
      if (fault) return { code: fault.code, message: fault.message, fault };
      return signal.aborted ? STOPPING : undefined;
    },
  };
}

/** Running payouts get a little time; then calls end, and their outcome is unknown. */
function stopAfterGrace(signal: AbortSignal): { hardStop: AbortSignal; close: () => void } {
  const hardStop = new AbortController();
  const closed = new AbortController();
  // Each running call listens to it.
  setMaxListeners(0, hardStop.signal);
  const begin = (): void => void sleep(GRACE_MS, closed.signal).then(() => hardStop.abort());
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  const close = (): void => {
    signal.removeEventListener("abort", begin);
    closed.abort();
  };
  return { hardStop: hardStop.signal, close };
}

/** Left as it was, with the reason. */
export function skipped(
  code: string,
  message: string,
): { outcome: "skipped"; code: string; message: string } {
  return { outcome: "skipped", code, message };
}
