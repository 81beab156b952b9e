import { isConnectionError } from "../db/connection.ts";
import type { ProviderPayout } from "../razorpay/index.ts";
import { toError } from "../support/errors.ts";
import type { ClaimedPayout } from "./claim.ts";
import { ClaimLostError } from "./release.ts";
import { recordAccepted, type AttemptRef, type Settlement } from "./settle.ts";
import type { UnitPorts } from "./unit.ts";

/** A payout of this run that the provider has and had not finished when it answered. */
export interface InFlight {
  ref: AttemptRef;
  payout: ClaimedPayout;
  createdAt: Date;
}

const PAGE = 100;

/**
 * Asks the provider once, page by page, what became of this run's payouts, and settles those that are
 * final by now: instant transfers mostly are. What is not stays in processing, and the next
 * run says so. A list that can not be read changes nothing: accepted is accepted.
 *
 * The window is that of the provider's own times, so that a difference of clocks hides nothing.
 */
export async function followInFlight(
  ports: UnitPorts,
  inFlight: ReadonlyMap<string, InFlight>,
  onSettled: (payout: ClaimedPayout, settlement: Settlement, provider: ProviderPayout) => void,
): Promise<void> {
  const times = [...inFlight.values()].map(({ createdAt }) => createdAt.getTime());
  const fromMs = times.reduce((least, time) => Math.min(least, time), Infinity);
  const toMs = times.reduce((most, time) => Math.max(most, time), -Infinity);
  for (let skip = 0; times.length > 0 && !ports.signal.aborted; skip += PAGE) {
    const answer = await ports.gateway.listPayouts(
      { fromMs, toMs, count: PAGE, skip },
      { signal: ports.hardStop },
    );
    if (answer.kind !== "accepted") {
      ports.log.warn(
        { answer: answer.kind },
        "the provider's list could not be read; accepted payouts stay in processing for now",
      );
      return;
    }
    for (const provider of answer.value) {
      const found = inFlight.get(provider.id);
      if (!found) continue;
      const settlement = await settleOne(ports, found, { provider, httpStatus: answer.httpStatus });
      // Each of the others would wait as long for a database that is away, to be told the same.
      if (settlement === "unreachable") return;
      if (settlement) onSettled(found.payout, settlement, provider);
    }
    if (answer.value.length < PAGE) return;
  }
}

async function settleOne(
  { db, log }: UnitPorts,
  { ref }: InFlight,
  { provider, httpStatus }: { provider: ProviderPayout; httpStatus: number },
): Promise<Settlement | "unreachable" | undefined> {
  try {
    return await recordAccepted(db, ref, { provider, httpStatus, body: undefined });
  } catch (error) {
    // Already settled by somebody else: nothing is lost, and nothing moves back.
    if (error instanceof ClaimLostError) return undefined;
    log.warn(
      { payoutId: ref.payoutId, err: toError(error) },
      "a final state could not be recorded yet",
    );
    return isConnectionError(error) ? "unreachable" : undefined;
  }
}
