import { toError } from "../../support/errors.ts";
import { countDueOf, countUnsent } from "../state/due.ts";
import { PAYEE_KINDS } from "../state/kind.ts";
import { claimPage } from "./claim-page.ts";
import { countFollowed } from "./count-followed.ts";
import { followInFlight } from "./follow.ts";
import type { Funded } from "./funded.ts";
import type { RunEnd } from "./judge.ts";
import { createPages } from "./pages.ts";
import { createPool, type Pool } from "./pool.ts";
import type { PayoutPorts } from "./ports.ts";
import { preparePage } from "./prepare-page.ts";
import { countsOf, totalFound, type PayoutCounts, type PayoutRunReport } from "./report.ts";
import { createRun, MOST_IN_BATCH, type DueItem, type PayResult, type PayRun } from "./run.ts";
import { sendPayout } from "./send.ts";
import { createTally, isTrouble, type Tally } from "./tally.ts";

/** Two batches and a half: while one is claimed, others are on their way and are recorded. */
const MOST_AT_ONCE = 256;

/** Pays payouts page by page, then records those that the provider reports as final by now. */
export async function payAll(
  ports: PayoutPorts,
  report: PayoutRunReport,
  payable: Funded,
): Promise<RunEnd> {
  const tally = createTally(report);
  const { end, lost, inFlight } = tally;
  const run = createRun(ports, () => end.fault);
  const mayContinue = (): boolean =>
    run.stop() === undefined && end.error === undefined && !end.stopped;
  try {
    // Kept, not thrown: the report must not be lost for it.
    await payPages(run, { payable, report, tally, mayContinue }).catch((error: unknown) => {
      end.error ??= error;
    });
    end.fault ??= run.gate.fault;
    // Only now: those that were begun before it are finished, and the rest is no other run's.
    end.fault ??= payable.shortage;
    if (mayContinue()) {
      for (const kind of PAYEE_KINDS) countVanished(countsOf(report, kind));
      await countLost(ports, { report, lost }).catch((error: unknown) => {
        end.error ??= error;
      });
    }
    await followInFlight(
      run,
      end.error === undefined ? inFlight : { ...inFlight, count: 0 },
      countFollowed(report, (error) => (end.unrecorded ??= error)),
    );
  } finally {
    run.close();
  }
  return end;
}

/** Claims a page, prepares its attempts, then sends and records several at once; until no more may be begun. */
async function payPages(
  run: PayRun,
  {
    payable,
    report,
    tally,
    mayContinue,
  }: { payable: Funded; report: PayoutRunReport; tally: Tally; mayContinue: () => boolean },
): Promise<void> {
  const pool = createPool({ most: Math.min(MOST_AT_ONCE, run.gateway.requestsPerSecond) });
  const pages = createPages(payable.items);
  let done = 0;
  const end = (item: DueItem, result: PayResult): void => {
    logResult(run, { item, result, isFirst: tally.end.error === undefined });
    tally.note(item, result);
    if (isTrouble(result)) pool.shrink();
    else pool.grow();
    pages.ended(item);
    run.progress.update(++done, totalFound(report));
  };

  try {
    while (mayContinue() && !pages.isDone) {
      const page = await pages.next(await roomIn(pool));
      // The page may have taken a moment: a stop counts from here on.
      if (!mayContinue()) break;
      if (page.length === 0) await pool.oneEnded();
      const held = await claimPage(run, page, { end, onClaimed: tally.claimed });
      for (const each of await preparePage(run, held, end))
        pool.start(async () => end(each.item, await sendPayout(run, each)));
    }
  } finally {
    await pool.allEnded();
  }
}

/** Waits for room for a page that is worth its transactions, and says how large it may be. */
async function roomIn(pool: Pool): Promise<number> {
  while (pool.room < Math.min(MOST_IN_BATCH, Math.ceil(pool.size / 3))) await pool.oneEnded();
  return Math.min(MOST_IN_BATCH, pool.room);
}

function logResult(
  { log }: PayRun,
  { item, result, isFirst }: { item: DueItem; result: PayResult; isFirst: boolean },
): void {
  const payoutId = item.id;
  if (result.outcome === "run-ended") {
    // The first error ends the run; payouts running beside it mostly meet the same.
    if (!isFirst) return;
    log.error({ payoutId, err: toError(result.error) }, "a running payout ended with an error");
  } else if (result.outcome === "succeeded") {
    const { amountPaise, taxPaise, netPaise } = result.payout;
    const amounts = { amountPaise, taxPaise, netPaise };
    const providerPayoutId = result.accepted?.id;
    log.info({ payoutId, outcome: "succeeded", ...amounts, providerPayoutId }, "payout sent");
  } else {
    const { outcome, code, message } = result;
    log[outcome === "skipped" ? "info" : "warn"]({ payoutId, outcome, code }, message);
  }
}

/**
 * Another run held these payouts. Counts those it returned, which wait for the next run, and those it still
 * holds unsent.
 */
async function countLost(
  { db, runId, lease }: PayoutPorts,
  { report, lost }: { report: PayoutRunReport; lost: Tally["lost"] },
): Promise<void> {
  for (const kind of PAYEE_KINDS) {
    const dueAgain = await countDueOf(db, { kind, ids: lost[kind] });
    countsOf(report, kind).left += dueAgain;
  }
  if (PAYEE_KINDS.every((kind) => lost[kind].length === 0)) return;
  const unsent = await countUnsent(db, { runId, fence: lease.fence });
  report.unsentBefore = Math.max(report.unsentBefore, unsent);
}

/** Due when the run began, and claimed by another one before this run came to read their page. */
function countVanished(counts: PayoutCounts): void {
  const vanished = counts.found - counts.processed - counts.skipped;
  if (vanished <= 0) return;
  const reason = "skipped CLAIMED_ELSEWHERE";
  counts.skipped += vanished;
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + vanished;
}
