import type { Db } from "../../../lib/db/client.ts";
import {
  prepareAttempts,
  type AttemptInput,
  type PreparedAttempt,
} from "../../../lib/payouts/state/attempt.ts";
import { claimPayouts, type ClaimResult } from "../../../lib/payouts/state/claim.ts";
import { ClaimLostError } from "../../../lib/payouts/state/release.ts";
import { defaultTaxPolicy } from "../../../lib/tds/index.ts";

/** Claims one payout, as a run does with a batch. */
export async function claimOne(
  db: Db,
  payoutId: string,
  claimant: { runId: string; fence: bigint | null },
): Promise<ClaimResult> {
  const [result] = await claimPayouts(db, {
    payoutIds: [payoutId],
    claimant,
    tax: defaultTaxPolicy,
  });
  return result ?? { kind: "lost" };
}

/** Prepares the attempt of one payout. @throws {ClaimLostError} when another run holds the payout */
export async function prepareOne(
  db: Db,
  { payout, runId }: Pick<AttemptInput, "payout"> & { runId: string },
): Promise<PreparedAttempt> {
  const input: AttemptInput = {
    payout,
    fundAccountId: "fa_00000000000001",
    mode: "IMPS",
    accountNumber: "7878780080316316",
    narration: "Consultant payout",
  };
  const [attempt] = await prepareAttempts(db, { runId, inputs: [input] });
  if (!attempt || "held" in attempt) throw new ClaimLostError(payout.id);
  return attempt;
}
