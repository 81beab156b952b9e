import type { DbSession } from "../../db/client.ts";
import { toError } from "../../support/errors.ts";
import type { Paise } from "../../support/money.ts";
import { runBatch } from "./batcher.ts";
import { recordOutcomes, settlementOf, type Recording, type Settlement } from "../state/outcome.ts";
import type { PayRun } from "./run.ts";
import { concernsAll } from "../state/faults.ts";
import type { ProviderPayout } from "../../provider/index.ts";

/** When the payouts were made that the provider has and had not finished when it answered. */
export interface InFlight {
  count: number;
  fromMs: number;
  toMs: number;
}

/** A payout of this run that the provider has. */
export interface FollowedPayout {
  id: string;
  organizationId: string | null;
  grossPaise: Paise;
  amountPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
}

/** The list's states of this run's payouts. */
export interface Follower {
  /** Recorded; or settled by somebody else already: then nothing is told. */
  readonly onSettled: (
    payout: FollowedPayout,
    settlement: Settlement,
    provider: ProviderPayout,
  ) => void;
  /** The list was read, but the database did not record a state. The payout is still accepted. */
  readonly onUnrecorded: (payout: FollowedPayout, error: unknown) => void;
  /** An error that belongs to no payout. */
  readonly onError: (error: unknown) => void;
}

const PAGE = 100;
/** Pages asked for at once: asked one after the other, each would cost the time of an answer and use no rate. */
const AHEAD = 4;

/**
 * Reads the provider's list once, page by page, and records those payouts of this run that are final by now, as
 * most instant transfers are. The others stay in processing, and the next run reports them. An unreadable list
 * changes nothing: accepted stays accepted.
 *
 * The period uses the provider's own times, so that a difference of clocks hides nothing. The database decides
 * which records of a page are ours: a run of any size keeps no more than a page in memory.
 */
export async function followInFlight(
  ports: PayRun,
  { count, fromMs, toMs }: InFlight,
  follower: Follower,
): Promise<void> {
  const read = (skip: number) =>
    ports.gateway.listPayouts({ fromMs, toMs, count: PAGE, skip }, { signal: ports.hardStop });
  // At least as many pages as our own fill; more where others' payouts stand between them.
  const ownPages = Math.ceil(count / PAGE);
  const pages: ReturnType<typeof read>[] = [];
  let asked = 0;
  let left = count;
  try {
    while (left > 0 && !ports.signal.aborted) {
      while (pages.length === 0 || (pages.length < AHEAD && asked < ownPages))
        pages.push(read(asked++ * PAGE));
      const answer = await pages.shift();
      if (answer?.kind !== "accepted") {
        ports.log.warn(
          { answer: answer?.kind },
          "the provider's list could not be read; accepted payouts stay in processing for now",
        );
        return;
      }
      const { value: page, httpStatus } = answer;
      const found = await settlePage(ports, { page, httpStatus, follower });
      if (found === undefined || page.length < PAGE) return;
      left -= found;
    }
  } finally {
    // No request outlives the run that asked.
    await Promise.allSettled(pages);
  }
}

/** How many were ours; undefined when the database can not be asked: with the next page it would be the same. */
async function settlePage(
  { db, runId, log }: PayRun,
  {
    page,
    httpStatus,
    follower,
  }: { page: readonly ProviderPayout[]; httpStatus: number; follower: Follower },
): Promise<number | undefined> {
  try {
    const providers = new Map(page.map((provider) => [provider.id, provider]));
    const found = await ownInFlight(db, { runId, providerIds: [...providers.keys()] });
    const items = found.flatMap(({ attemptId, providerId, ...payout }) => {
      const provider = providers.get(providerId);
      return provider ? [{ attemptId, payout, provider }] : [];
    });
    const results = await runBatch(items, async (batch) => {
      const recordings = batch.map(({ attemptId, payout, provider }): Recording => ({
        payoutId: payout.id,
        attemptId,
        outcome: { kind: "accepted", provider, httpStatus, body: undefined },
      }));
      const lost = await recordOutcomes(db, { runId }, recordings);
      return recordings.map(({ payoutId }) => !lost.has(payoutId));
    });
    let isAway = false;
    for (const [index, { payout, provider }] of items.entries()) {
      const result = results[index];
      if (result?.status === "rejected") {
        const err = toError(result.reason);
        // One line for a database that is away, not one for each.
        if (!isAway) log.warn({ payoutId: payout.id, err }, "a final state is not recorded yet");
        isAway ||= concernsAll(result.reason);
        // In flight there as here: nothing is missing.
        if (settlementOf(provider) !== "in-flight") follower.onUnrecorded(payout, result.reason);
      }
      // Already settled by somebody else: nothing is lost, and nothing moves back.
      if (result?.status === "fulfilled" && result.value)
        follower.onSettled(payout, settlementOf(provider), provider);
    }
    return isAway ? undefined : items.length;
  } catch (error) {
    log.warn({ err: toError(error) }, "final states are not recorded yet");
    follower.onError(error);
    return concernsAll(error) ? undefined : 0;
  }
}

/** Which of the provider's payouts are this run's own and not finished. */
async function ownInFlight(
  db: DbSession,
  { runId, providerIds }: { runId: string; providerIds: readonly string[] },
): Promise<(FollowedPayout & { attemptId: string; providerId: string })[]> {
  return db.query<(FollowedPayout & { attemptId: string; providerId: string })[]>`
    SELECT payouts.id, attempt.id AS "attemptId", attempt.provider_payout_id AS "providerId",
           organization_id AS "organizationId", gross_paise AS "grossPaise",
           payouts.amount_paise AS "amountPaise", tax_paise AS "taxPaise", net_paise AS "netPaise"
    FROM payout_attempts AS attempt JOIN payouts ON payouts.id = attempt.payout_id
    WHERE attempt.provider_payout_id = ANY(${providerIds}::text[]) AND attempt.state::text = 'ACCEPTED'
      AND attempt.run_id = ${runId}::uuid`;
}
