-- The person taxed is the PAN. A payout is assessed on the year of all consultants who have its payee's PAN, and their
-- profiles are locked together, so they are looked up by it.
CREATE INDEX "tax_profiles_pan_consultant_id_idx" ON "tax_profiles"("pan", "consultant_id");

-- What the payee's identity was when a line was assessed. Both change in time, and tax that was rightly taken from
-- somebody without a PAN must still look right once there is one. Null: assessed before this was kept.
ALTER TABLE "tax_deductions" ADD COLUMN "pan_status" "pan_status",
ADD COLUMN "aadhaar" BOOLEAN;

-- Codes that differ only by case or Unicode form mean one consultant. No unique index: there may be such codes already,
-- and both of them stay payable.
CREATE INDEX "consultants_code" ON "consultants" (lower(normalize("external_ref", NFC)));

-- What a consultant owes of a sale of an earlier financial year is recovered from the money of a later earning and
-- leaves its gross, which is the base of the tax, as it is. Everything else takes at least as much gross as money.
ALTER TABLE "earning_refunds" DROP CONSTRAINT "earning_refunds_amounts";
ALTER TABLE "earning_refunds" ADD CONSTRAINT "earning_refunds_amounts" CHECK (
  "amount_paise" > 0
  AND ("gross_paise" >= "amount_paise" OR ("gross_paise" = 0 AND starts_with("key", 'recovery:')))
);
