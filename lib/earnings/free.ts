/**
 * SQL: whether the earning `e` can be put into an approved payout straight from a finance export. What was
 * refunded in part, waits for its date, belongs to a consultant on hold, to one who owes something of a refunded
 * sale, or to an organization's payee is left to the weekly batch, which subtracts and waits as it has to, and
 * makes the organization's payout.
 */
export const EARNING_IS_FREE = `(
  e.status = 'READY'
  AND (e.hold_until IS NULL OR e.hold_until <= india_today())
  AND NOT EXISTS (SELECT FROM payout_items i WHERE i.earning_id = e.id AND i.released_at IS NULL)
  AND NOT EXISTS (SELECT FROM earning_refunds r WHERE r.earning_id = e.id)
  AND NOT EXISTS (
    SELECT FROM consultant_holds h WHERE h.consultant_id = e.consultant_id AND h.released_at IS NULL
  )
  AND NOT EXISTS (
    SELECT FROM earning_recoveries v
    WHERE v.consultant_id = e.consultant_id AND v.recovered_amount_paise < v.amount_paise
  )
  AND NOT EXISTS (SELECT FROM organizations o WHERE o.payee_id = e.consultant_id)
)`;
