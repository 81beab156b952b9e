import type { DbSession } from "../../db/client.ts";
import { readInFlight, type InFlight } from "../../ledger/in-flight.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees } from "../../support/money.ts";
import { ABANDONED_AFTER_MS } from "./due.ts";

/** As it is now; as it was read before where the database is away: what was done must not be lost for a number. */
export async function inFlightAtTheEnd(db: DbSession, before: InFlight): Promise<InFlight> {
  return readInFlight(db).catch(() => before);
}

/** Sent or perhaps sent, and not final: nobody may read a green run as "all of it has arrived". */
export function inFlightNote({ count, paise }: InFlight): string {
  return `${counted(count, "payout")} (${formatRupees(paise)}) ${agreeing(count, "is", "are")} in flight: the provider has not decided about ${agreeing(count, "it", "them")}.`;
}

/** Nobody is left waiting in silence for a run that may be dead. */
export function unsentWarning(count: number): string {
  const minutes = ABANDONED_AFTER_MS / 60_000;
  const them = agreeing(count, "it", "them");
  return `${counted(count, "payout")} ${agreeing(count, "is", "are")} claimed by another run and not sent. If that run goes on, it sends ${them}. If it is dead, payouts/handle-stuck-payouts makes ${them} due again ${minutes} minutes after the claim, and the next pay run pays ${them}.`;
}
