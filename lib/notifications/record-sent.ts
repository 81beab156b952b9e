import type { DbSession } from "../db/client.ts";
import { RECORD_AGAIN } from "../db/retries.ts";
import { backOffMs } from "../support/back-off.ts";
import { sleep } from "../support/clock.ts";
import { toError } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import { settleSent, type Claim } from "./outbox.ts";

/**
 * Writes down that the server took a mail. A mail that has left and is not written down leaves a second time
 * when its claim has ended, so that a session which was lost meanwhile is worth a new one.
 */
export async function recordSent(
  { db, log }: { db: DbSession; log: Log },
  claim: Claim,
): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      const isOurs = await settleSent(db, claim);
      // The statement before may have been carried out, and its answer lost.
      if (!isOurs && tried === 1) {
        log.warn({ mailId: claim.mailId }, "the mail was sent, and its claim had ended before");
      }
      return;
    } catch (error) {
      const waitMs = backOffMs(RECORD_AGAIN, tried);
      if (waitMs === undefined) throw error;
      log.warn({ mailId: claim.mailId, err: toError(error) }, "not written down yet; once more");
      await sleep(waitMs);
    }
  }
}
