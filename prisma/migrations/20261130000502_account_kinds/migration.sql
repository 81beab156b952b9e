-- Current accounts: the provider collects its fees once a day, as a payout of its own, and by routing may pay from an
-- account of ours at another bank. How a payout is booked follows from its attempt; an attempt of before is of a Lite
-- account, whose fees leave with the payout.
ALTER TYPE "ledger_account_code" ADD VALUE IF NOT EXISTS 'PROVIDER_FEES_DUE';
ALTER TYPE "ledger_account_code" ADD VALUE IF NOT EXISTS 'BANK_OTHER';

ALTER TABLE "payout_attempts"
  ADD COLUMN "fees_apart" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "debited_elsewhere" BOOLEAN NOT NULL DEFAULT false;
