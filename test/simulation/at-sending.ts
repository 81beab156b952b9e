import type { Fault } from "../../scripts/sandbox/razorpay/index.ts";
import type { SimulatedProcess } from "./process.ts";
import { payoutName, type World } from "./world.ts";
import { requestHash } from "../../lib/provider/index.ts";

/** M13: whoever has lost the lease asks for nothing that could move money any more. */
export function checkMayStillSend(
  world: World,
  process: SimulatedProcess,
  name: Fault["on"],
): void {
  if (name !== "POST /payouts" || process.leaseLost === undefined) return;
  world.violations.push(`M13: ${process.name} sends a payout after its lease was lost`);
}

interface SentAttempt extends Record<string, unknown> {
  payoutId: string;
  runId: string;
  attemptNo: number;
  state: string;
  amountPaise: bigint;
  payoutPaise: bigint;
  requestHash: string;
  references: string[];
  /** Holds of the payee or of this account that were open when the run claimed the payout. */
  holds: string[];
  /** Whether it goes to the account that a person approved; an approval of the batch is bound to none. */
  isApproved: boolean;
}

/**
 * What must hold at the moment at which a payout's request leaves, by the database's committed rows and by the
 * provider's own list: M1, M2, M4, M9, that nobody on hold is sent anything, and nothing to an account that was not approved. Returns how the story calls the payout; undefined for other calls.
 */
export async function checkBeforeSending(
  world: World,
  process: SimulatedProcess,
  { name, input }: { name: Fault["on"]; input: unknown },
): Promise<string | undefined> {
  if (name !== "POST /payouts") return undefined;
  const { body, idempotencyKey } = input as { body: string; idempotencyKey: string };
  const [attempt] = await world.arena.database.query<SentAttempt>(
    `SELECT attempt.payout_id AS "payoutId", attempt.run_id AS "runId",
            attempt.attempt_no AS "attemptNo", attempt.state::text AS state,
            attempt.amount_paise AS "amountPaise", payout.amount_paise AS "payoutPaise",
            attempt.request_hash AS "requestHash",
            ARRAY(SELECT reference_id FROM payout_attempts WHERE payout_id = attempt.payout_id) AS references,
            ARRAY(
              SELECT kind::text FROM consultant_holds
              WHERE consultant_id = payout.consultant_id AND released_at IS NULL AND placed_at < payout.claimed_at
              UNION ALL
              SELECT 'refused_account' FROM payout_account_holds
              WHERE payout_account_id = attempt.payout_account_id AND released_at IS NULL
                AND placed_at < payout.claimed_at) AS holds,
            payout.approved_amount_paise IS NULL
              OR (account.kind, account.ifsc, account.account_number, account.vpa)
                IS NOT DISTINCT FROM (approved.kind, approved.ifsc, approved.account_number, approved.vpa)
              AS "isApproved"
     FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
     JOIN payout_accounts AS account ON account.id = attempt.payout_account_id
     LEFT JOIN payout_accounts AS approved ON approved.id = payout.approved_account_id
     WHERE attempt.idempotency_key = $1`,
    [idempotencyKey],
    { prepared: true },
  );
  if (attempt === undefined) {
    world.violations.push(`M2: ${process.name} sends a request without a committed attempt`);
    return "without an attempt";
  }
  const payout = await payoutName(world, attempt.payoutId);
  const breach = (what: string): void =>
    void world.violations.push(`${what} (${payout}, ${process.name})`);
  if (attempt.requestHash !== requestHash(body))
    breach("M2: the hash of the attempt is not that of the body sent");
  if (idempotencyKey !== `${attempt.payoutId.replaceAll("-", "")}-${attempt.attemptNo}`)
    breach("M2: the key is not a function of payout and attempt");
  if (attempt.runId !== process.runId) breach("M2: the attempt was made by another run");
  const others = attempt.references;
  const alive = world.arena.sandbox
    .payouts()
    .filter(({ reference_id, live }) => live && others.includes(reference_id ?? ""));
  if (alive.length > 0)
    breach("M4: sent although an attempt of the payout is alive at the provider");
  if (attempt.holds.length > 0) breach(`sent to a payee on hold: ${attempt.holds.join(", ")}`);
  if (!attempt.isApproved) breach("sent to another account than a person approved");
  checkCaps(process, attempt, breach);
  return payout;
}

/** M9: never above a cap, counted over what this run has sent. */
function checkCaps(
  { caps, sentPaise }: SimulatedProcess,
  { payoutPaise }: SentAttempt,
  breach: (what: string) => void,
): void {
  sentPaise.push(payoutPaise);
  if (caps === undefined) return;
  const total = sentPaise.reduce((sum, paise) => sum + paise, 0n);
  if (payoutPaise > caps.singlePaise) breach("M9: above the largest single payout");
  if (total > caps.runPaise) breach("M9: above the most that one run may pay");
  if (sentPaise.length > caps.runCount) breach("M9: more payouts than one run may make");
}
