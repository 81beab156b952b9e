-- What the tax papers need beside the deductions. Every column has a default or may be absent, so that programs of
-- before this migration write as they did.

-- Expected to exceed the threshold of the exemption this year: taxed from the first rupee.
ALTER TABLE "tax_profiles" ADD COLUMN "likely_to_exceed" BOOLEAN NOT NULL DEFAULT false;

-- Whether a line rests on that mark. Null: assessed before this was kept.
ALTER TABLE "tax_deductions" ADD COLUMN "likely_to_exceed" BOOLEAN;

-- The part of the gross that the buyer paid to the consultant directly. It counts for the tax, and is paid by nobody.
ALTER TABLE "earnings" ADD COLUMN "paid_directly_paise" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "earnings"
  DROP CONSTRAINT "earnings_amounts",
  ADD CONSTRAINT "earnings_amounts" CHECK (
    "gross_paise" > 0 AND "platform_fee_paise" >= 0 AND "paid_directly_paise" >= 0
    AND "amount_paise" = "gross_paise" - "platform_fee_paise" - "paid_directly_paise"
    -- A sale of which nothing is left to pay is one that was paid directly.
    AND ("amount_paise" > 0 OR ("amount_paise" = 0 AND "paid_directly_paise" > 0))
  );

-- Such a sale is in a payout for its tax alone. The payout itself still pays something.
ALTER TABLE "payout_items"
  DROP CONSTRAINT "payout_items_amounts",
  ADD CONSTRAINT "payout_items_amounts" CHECK ("amount_paise" >= 0 AND "gross_paise" > 0 AND "gross_paise" >= "amount_paise");

-- The last column is new: whether a payout may hold the earning. Programs of before name the columns that they read.
CREATE OR REPLACE VIEW "earnings_net" AS
SELECT earning.id AS earning_id, earning.consultant_id, earning.currency, earning.status,
       earning.gross_paise - COALESCE(refunded.gross_paise, 0) AS gross_paise,
       earning.amount_paise - COALESCE(refunded.amount_paise, 0) AS amount_paise,
       earning.hold_until IS NULL OR earning.hold_until <= india_today() AS due,
       earning.amount_paise > COALESCE(refunded.amount_paise, 0)
         OR (earning.amount_paise = 0 AND earning.gross_paise > COALESCE(refunded.gross_paise, 0)) AS payable
FROM earnings AS earning
CROSS JOIN LATERAL (
  SELECT sum(refund.gross_paise)::bigint AS gross_paise, sum(refund.amount_paise)::bigint AS amount_paise
  FROM earning_refunds AS refund WHERE refund.earning_id = earning.id
) AS refunded;

-- A challan as the statement names it: seven digits of the branch, five of the serial number.
ALTER TABLE "tax_deposits"
  ADD COLUMN "bsr_code" TEXT,
  ADD COLUMN "challan_serial" TEXT,
  -- Withheld and accrued for the month when it was deposited; unknown for deposits of before this migration.
  ADD COLUMN "owed_paise" BIGINT;
ALTER TABLE "tax_deposits"
  ADD CONSTRAINT "tax_deposits_challan" CHECK (
    ("bsr_code" IS NULL) = ("challan_serial" IS NULL)
    AND ("bsr_code" IS NULL OR ("bsr_code" ~ '^[0-9]{7}$' AND "challan_serial" ~ '^[0-9]{5}$'))
  ),
  ADD CONSTRAINT "tax_deposits_owed" CHECK ("owed_paise" IS NULL OR "owed_paise" >= "amount_paise");
