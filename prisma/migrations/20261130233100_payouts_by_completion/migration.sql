-- Payees are told of payouts that were paid lately: notifications/tell-payees looks for them by this time.
CREATE INDEX "payouts_completed_at_idx" ON "payouts"("completed_at");
