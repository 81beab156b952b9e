import type { DbSession } from "../../db/client.ts";
import { postTransactions, type Posting } from "../../ledger/post-transaction.ts";
import type { Paise } from "../../support/money.ts";
import { finaliseDeductions } from "../../tds/reserve.ts";
import { isClaimedBy } from "./held.ts";
import { auditOrganizations, type HoldingRun } from "./organization-audit.ts";
import { assertAllHit } from "./release.ts";

/** A payout that is paid, and the attempt that paid it; null where tax takes all of it and nothing is sent. */
interface Completion {
  payoutId: string;
  attemptId: string | null;
}

interface CompletedRow {
  payoutId: string;
  consultantId: string;
  organizationId: string | null;
  amountPaise: Paise;
  netPaise: Paise;
  taxPaise: Paise;
}

/** PROCESSING to COMPLETED: earnings PAID, tax final, books posted. @throws {ClaimLostError} */
export async function completePayouts(
  tx: DbSession,
  run: HoldingRun,
  completions: readonly Completion[],
): Promise<void> {
  if (completions.length === 0) return;
  const payoutIds = completions.map(({ payoutId }) => payoutId);
  const completed = await tx.query<CompletedRow[]>`
    UPDATE payouts SET status = 'COMPLETED', completed_at = now(), updated_at = now()
    WHERE id = ANY(${payoutIds}::uuid[]) AND ${isClaimedBy(run.runId)}
    RETURNING id AS "payoutId", consultant_id AS "consultantId", organization_id AS "organizationId",
              amount_paise AS "amountPaise", net_paise AS "netPaise", tax_paise AS "taxPaise"`;
  assertAllHit(completions, completed);
  await markEarningsPaid(tx, payoutIds);
  await finaliseDeductions(tx, payoutIds);
  const fees = await feesOf(tx, completions);
  await postTransactions(
    tx,
    completed.map((payout) => completionOf(payout, fees.get(payout.payoutId))),
  );
  await auditOrganizations(
    tx,
    run,
    completed.map(({ payoutId, organizationId, amountPaise, taxPaise, netPaise }) => {
      const detail = { amountPaise, taxPaise, netPaise };
      return { payoutId, organizationId, action: "completed", detail };
    }),
  );
}

async function markEarningsPaid(tx: DbSession, payoutIds: readonly string[]): Promise<void> {
  await tx.execute`
    UPDATE earnings SET status = 'PAID', updated_at = now()
    WHERE status = 'LINKED' AND id IN (
      SELECT earning_id FROM payout_items
      WHERE payout_id = ANY(${payoutIds}::uuid[]) AND released_at IS NULL)`;
}

interface Fees {
  feesPaise: Paise | null;
  feesTaxPaise: Paise | null;
  /** Collected once a day, and not with the payout. */
  feesApart: boolean;
  /** Another account of ours was debited. */
  debitedElsewhere: boolean;
}

/** The provider's charges by payout, from its answers. */
async function feesOf(
  tx: DbSession,
  completions: readonly Completion[],
): Promise<ReadonlyMap<string, Fees>> {
  const attemptIds = completions.flatMap(({ attemptId }) => attemptId ?? []);
  if (attemptIds.length === 0) return new Map();
  const rows = await tx.query<(Fees & { payoutId: string })[]>`
    SELECT payout_id AS "payoutId", fees_paise AS "feesPaise", fees_tax_paise AS "feesTaxPaise",
           fees_apart AS "feesApart", debited_elsewhere AS "debitedElsewhere"
    FROM payout_attempts WHERE id = ANY(${attemptIds}::uuid[])`;
  return new Map(rows.map((row) => [row.payoutId, row]));
}

/**
 * Debits the payable with the owed amount, and credits the bank with the sent amount and the tax account with
 * the withheld tax. The provider's fee includes the tax on it (`fees` 118 with `tax` 18 debits amount + 118). A
 * fee that is collected separately is owed to the provider until then. Money that left another account is not
 * taken off this one.
 */
function completionOf(
  { payoutId, consultantId, amountPaise, netPaise, taxPaise }: CompletedRow,
  fees: Fees | undefined,
): Posting {
  const feesPaise = fees?.feesPaise ?? 0n;
  const feesTaxPaise = fees?.feesTaxPaise ?? 0n;
  const isApart = fees?.feesApart ?? false;
  const leftWithItPaise = isApart ? 0n : feesPaise;
  const bank = fees?.debitedElsewhere ? "BANK_OTHER" : "BANK";
  return {
    key: `payout-completed:${payoutId}`,
    kind: "payout-completed",
    payoutId,
    entries: [
      { account: { code: "CONSULTANT_PAYABLE", consultantId }, amountPaise },
      { account: { code: "PROVIDER_FEES" }, amountPaise: feesPaise - feesTaxPaise },
      { account: { code: "PROVIDER_FEES_TAX" }, amountPaise: feesTaxPaise },
      { account: { code: bank }, amountPaise: -(netPaise + leftWithItPaise) },
      { account: { code: "PROVIDER_FEES_DUE" }, amountPaise: isApart ? -feesPaise : 0n },
      { account: { code: "TAX_PAYABLE" }, amountPaise: -taxPaise },
    ],
  };
}
