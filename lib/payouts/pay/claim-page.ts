import { describeRowError, isLockConflict } from "../../db/sqlstate.ts";
import { AfterhoursError, toError } from "../../support/errors.ts";
import { claimPayouts, takeOverClaim, type ClaimResult } from "../state/claim.ts";
import { refusalOf, type ClaimedPayout } from "../state/decide.ts";
import { concernsAll } from "../state/faults.ts";
import { runBatch } from "./batcher.ts";
import { endedBy, REFUSED, rowLocked } from "./row-errors.ts";
import { skipped, type DueItem, type PageResults, type PayResult, type PayRun } from "./run.ts";

/** A payout that this run holds. */
export interface Held {
  item: DueItem;
  payout: ClaimedPayout;
}

/**
 * Claims a page, withholds the tax, and gives back the payouts that this run holds now. Each way asks first
 * whether the lease is trusted. Claims of dead runs are taken over one by one.
 */
export async function claimPage(
  run: PayRun,
  page: readonly DueItem[],
  { end, onClaimed }: PageResults,
): Promise<Held[]> {
  const { db, lease, runId, settings } = run;
  const claimant = { runId, fence: lease.fence };
  const held: Held[] = [];
  const note = (item: DueItem, result: PromiseSettledResult<ClaimResult> | undefined): void => {
    if (result?.status !== "fulfilled") {
      end(item, notClaimed(run, item, result?.reason));
      return;
    }
    const claim = result.value;
    if (claim.kind === "claimed" || (claim.kind === "refused" && claim.isClaimed)) onClaimed(item);
    if (claim.kind === "claimed") held.push({ item, payout: claim.payout });
    else end(item, resultOf(claim));
  };

  const due = page.filter(({ claimedBy }) => claimedBy === undefined);
  const claims = await runBatch(due, (items) => {
    lease.assertTrusted();
    const payoutIds = items.map(({ id }) => id);
    return claimPayouts(db, { payoutIds, claimant, tax: settings.tax });
  });
  for (const [index, item] of due.entries()) note(item, claims[index]);
  for (const item of page) {
    const { id: payoutId, claimedBy } = item;
    if (claimedBy === undefined) continue;
    const [result] = await runBatch([item], async () => {
      lease.assertTrusted();
      return [await takeOverClaim(db, { payoutId, claimedBy, claimant })];
    });
    note(item, result);
  }
  return held;
}

function resultOf(claim: Exclude<ClaimResult, { kind: "claimed" }>): PayResult {
  if (claim.kind === "lost")
    return skipped("CLAIMED_ELSEWHERE", "another run has it, or it is no longer due");
  const { code, message } = claim;
  return claim.kind === "refused" ? { outcome: "failed", code, message } : skipped(code, message);
}

/** The claim was rolled back, so the payout is unchanged; the others continue. */
function notClaimed({ log }: PayRun, { id: payoutId }: DueItem, error: unknown): PayResult {
  if (concernsAll(error)) return endedBy(error, { isClaimed: false });
  if (isLockConflict(error)) return rowLocked;
  log.error({ payoutId, err: toError(error) }, "payout can not be claimed");
  if (error instanceof AfterhoursError) return { outcome: "failed", ...refusalOf(error) };
  const message = `${describeRowError(error)}; nothing was sent, and it is as it was`;
  return { outcome: "failed", code: REFUSED, message, error };
}
