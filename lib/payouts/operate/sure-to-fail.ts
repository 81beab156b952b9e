import type { DbSession } from "../../db/client.ts";
import type { TaxPolicy } from "../../tds/index.ts";
import { createPlanner } from "../state/plan.ts";
import type { Refusal } from "./change.ts";
import type { LockedPayout } from "./locked-payout.ts";

const REMEDIES: Readonly<Record<string, string>> = {
  AMOUNT_ABOVE_UPI_LIMIT:
    "Ask the payee for a bank account, import it with --update-accounts, then try again.",
  NO_PAYOUT_ACCOUNT: "Import an account of the payee, then try again.",
  NO_TAX_PROFILE: "Add the payee's tax profile, then try again.",
};

/**
 * Why the next run would refuse this payout before it sends anything, decided by the run's own code on the rows as this
 * transaction has them. A try that must fail only takes the payout nearer to its last.
 */
export async function sureToFail(
  tx: DbSession,
  { payout, tax }: { payout: LockedPayout; tax: TaxPolicy },
): Promise<Refusal | undefined> {
  const plan = await createPlanner({ db: tx, settings: { tax } })({ id: payout.id });
  // A hold passes; it is a refusal of its own.
  if (plan.kind !== "refuse") return undefined;
  return {
    code: "WOULD_FAIL_AGAIN",
    message: `the next run would refuse it again (${plan.code}): ${plan.message}`,
    remedy: REMEDIES[plan.code] ?? "Fix the cause first, then try again.",
  };
}
