import { inTransaction } from "../../db/client.ts";
import { holdUnusableAccounts } from "../state/account-holds.ts";
import { prepareAttempts, type AttemptInput, type PreparedAttempt } from "../state/attempt.ts";
import { claimPayouts, type ClaimResult } from "../state/claim.ts";
import { completePayouts } from "../state/complete.ts";
import { createGroup } from "./group.ts";
import type { HoldingRun } from "../state/organization-audit.ts";
import type { PayoutPorts } from "./ports.ts";
import {
  ClaimLostError,
  failPayouts,
  returnAllToDue,
  type PayoutFailure,
} from "../state/release.ts";
import { recordOutcomes, type Recording } from "../state/outcome.ts";
import type { Answer, ProviderPayout } from "../../provider/index.ts";

/**
 * The largest number of rows in a transaction. Alone, a payout takes thirty round trips to the database and four
 * commits, and 11 ms of this process's processor (3,000 payouts, one session). In batches of up to 100 the same
 * 3,000 took 183 transactions, and 1.2 to 1.4 ms each. Of 5,000 payouts each took 1.23 ms with 25 rows and 64 at
 * once, 1.07 with 100 and 256, 1.03 with 200 and 512: beyond a hundred the requests themselves take the time.
 * And a larger batch repeats more work when one of its rows makes it fail.
 */
const MOST = 100;

/** The end of a payout without a request. */
export type Finish =
  | { kind: "completed"; payoutId: string }
  | ({ kind: "failed" } & PayoutFailure)
  /** Due again. */
  | { kind: "returned"; payoutId: string; reason: string };

/**
 * The writing steps of a payout. Concurrent payouts share one transaction for each. A row keeps its own
 * compare-and-swap, result and error.
 */
export interface PayoutGroups {
  /** @throws {LeaseLostError} */
  claim(payoutId: string): Promise<ClaimResult>;
  /** Resolves when the attempt is committed. @throws {ClaimLostError | LeaseLostError} */
  prepare(input: AttemptInput): Promise<PreparedAttempt>;
  /** Sends; answers of requests that are under way at the same time are recorded together. */
  send(request: () => Promise<Answer<ProviderPayout>>): Promise<Answer<ProviderPayout>>;
  /** @throws {ClaimLostError} */
  record(recording: Recording): Promise<void>;
  /** @throws {ClaimLostError} */
  finish(finish: Finish): Promise<void>;
}

export function createGroups(ports: PayoutPorts): PayoutGroups {
  const { db, runId, lease, settings } = ports;
  const claimant = { runId, fence: lease.fence };
  let underWay = 0;

  const claim = createGroup<string, ClaimResult>({
    most: MOST,
    work: (payoutIds) => {
      lease.assertTrusted();
      return claimPayouts(db, { payoutIds, claimant, tax: settings.tax });
    },
  });
  const prepare = createGroup<AttemptInput, PreparedAttempt | undefined>({
    most: MOST,
    work: (inputs) => {
      lease.assertTrusted();
      return prepareAttempts(db, { runId, inputs });
    },
  });
  const record = createGroup<Recording, boolean>({
    most: MOST,
    moreToCome: () => underWay > 0,
    work: async (recordings) => {
      const lost = await recordOutcomes(db, { runId }, recordings);
      return recordings.map(({ payoutId }) => !lost.has(payoutId));
    },
  });
  const finish = createGroup<Finish, Finish>({
    most: MOST,
    work: async (finishes) => {
      await inTransaction(db, async (tx) => {
        const run: HoldingRun = { runId };
        await completePayouts(
          tx,
          run,
          finishes.flatMap(({ kind, payoutId }) =>
            kind === "completed" ? { payoutId, attemptId: null } : [],
          ),
        );
        const failed = finishes.filter((each) => each.kind === "failed");
        await failPayouts(tx, run, failed);
        await holdUnusableAccounts(
          tx,
          run,
          failed.map(({ payoutId }) => payoutId),
        );
        await returnAllToDue(
          tx,
          run,
          finishes.filter((each) => each.kind === "returned"),
        );
      });
      return finishes;
    },
  });

  return {
    claim,
    prepare: async (input) => {
      const attempt = await prepare(input);
      if (!attempt) throw new ClaimLostError(input.payout.id);
      return attempt;
    },
    send: async (request) => {
      underWay++;
      try {
        return await request();
      } finally {
        underWay--;
      }
    },
    record: async (recording) => {
      if (!(await record(recording))) throw new ClaimLostError(recording.payoutId);
    },
    finish: async (each) => {
      await finish(each);
    },
  };
}
