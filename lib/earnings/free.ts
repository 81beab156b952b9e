/**
 * SQL: whether the provider refused the active account of a consultant, or one with the same details, and nobody has
 * released it.
 */
export function accountIsRefused(consultantId: string): string {
  return `EXISTS (
    SELECT FROM payout_accounts active
    JOIN payout_accounts same ON same.consultant_id = active.consultant_id
      AND (same.kind, same.ifsc, same.account_number, same.vpa)
        IS NOT DISTINCT FROM (active.kind, active.ifsc, active.account_number, active.vpa)
    JOIN payout_account_holds refused ON refused.payout_account_id = same.id AND refused.released_at IS NULL
    WHERE active.consultant_id = ${consultantId} AND active.active
  )`;
}

const FREE_BUT_FOR_ACCOUNT = `
  e.status = 'READY'
  AND (e.hold_until IS NULL OR e.hold_until <= india_today())
  AND NOT EXISTS (SELECT FROM payout_items i WHERE i.earning_id = e.id AND i.released_at IS NULL)
  AND NOT EXISTS (SELECT FROM earning_refunds r WHERE r.earning_id = e.id)
  AND NOT EXISTS (
    SELECT FROM consultant_holds h WHERE h.consultant_id = e.consultant_id AND h.released_at IS NULL
  )
  AND NOT EXISTS (
    SELECT FROM earning_recoveries v JOIN earnings o ON o.id = v.earning_id
    WHERE v.consultant_id = e.consultant_id AND o.currency = e.currency
      AND v.recovered_amount_paise < v.amount_paise
  )
  AND NOT EXISTS (SELECT FROM organizations o WHERE o.payee_id = e.consultant_id)`;

/**
 * SQL: whether a finance export may put the earning `e` straight into an approved payout. The weekly batch makes
 * the payout instead for: partly refunded earnings, earnings that wait for their date, consultants on hold,
 * refused accounts, consultants with a debt for a refunded sale, and payees of an organization. The batch
 * subtracts and waits as needed, and makes the organization's payout.
 */
export const EARNING_IS_FREE = `(${FREE_BUT_FOR_ACCOUNT}
  AND NOT ${accountIsRefused("e.consultant_id")}
)`;

/** SQL: the same, where the import itself may bring another account. */
export const EARNING_IS_FREE_BUT_FOR_ACCOUNT = `(${FREE_BUT_FOR_ACCOUNT}
)`;
