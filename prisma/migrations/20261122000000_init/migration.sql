-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "payee_category" AS ENUM ('individual', 'huf', 'company', 'firm', 'other');

-- CreateEnum
CREATE TYPE "pan_status" AS ENUM ('valid', 'missing', 'inoperative');

-- CreateEnum
CREATE TYPE "payout_account_kind" AS ENUM ('bank_account', 'vpa');

-- CreateEnum
CREATE TYPE "earning_status" AS ENUM ('READY', 'LINKED', 'PAID');

-- CreateEnum
CREATE TYPE "ledger_account_code" AS ENUM ('PLATFORM_CLEARING', 'CONSULTANT_PAYABLE', 'BANK', 'TAX_PAYABLE', 'PROVIDER_FEES', 'PROVIDER_FEES_TAX');

-- CreateEnum
CREATE TYPE "maintenance_phase" AS ENUM ('off', 'degraded', 'offline');

-- CreateEnum
CREATE TYPE "payout_status" AS ENUM ('PENDING', 'APPROVED', 'PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED', 'REJECTED');

-- CreateEnum
CREATE TYPE "attempt_state" AS ENUM ('PREPARED', 'ACCEPTED', 'PROCESSED', 'REFUSED', 'FAILED', 'REVERSED', 'UNKNOWN');

-- CreateEnum
CREATE TYPE "deduction_status" AS ENUM ('RESERVED', 'FINAL');

-- CreateTable
CREATE TABLE "consultants" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "external_ref" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "provider_contact_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "consultants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tax_profiles" (
    "consultant_id" UUID NOT NULL,
    "category" "payee_category" NOT NULL,
    "resident" BOOLEAN NOT NULL DEFAULT true,
    "pan_status" "pan_status" NOT NULL,
    "pan" TEXT,
    "aadhaar" BOOLEAN NOT NULL DEFAULT false,
    "pan_relief_from" DATE,
    "pan_relief_to" DATE,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tax_profiles_pkey" PRIMARY KEY ("consultant_id")
);

-- CreateTable
CREATE TABLE "lower_deduction_certificates" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "rate_bps" INTEGER NOT NULL,
    "valid_from" DATE NOT NULL,
    "valid_to" DATE NOT NULL,
    "ceiling_paise" BIGINT NOT NULL,

    CONSTRAINT "lower_deduction_certificates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payout_accounts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "kind" "payout_account_kind" NOT NULL,
    "ifsc" TEXT,
    "account_number" TEXT,
    "vpa" TEXT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "provider_fund_account_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payout_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "earnings" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "booking_reference" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL DEFAULT 'INR',
    "credited_on" DATE NOT NULL,
    "gross_paise" BIGINT NOT NULL,
    "platform_fee_paise" BIGINT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "status" "earning_status" NOT NULL DEFAULT 'READY',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "earnings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_accounts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "code" "ledger_account_code" NOT NULL,
    "consultant_id" UUID,

    CONSTRAINT "ledger_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_transactions" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "earning_id" UUID,
    "payout_id" UUID,
    "posted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_transactions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_entries" (
    "id" BIGSERIAL NOT NULL,
    "transaction_id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "amount_paise" BIGINT NOT NULL,

    CONSTRAINT "ledger_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_runs" (
    "id" UUID NOT NULL,
    "job" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "fence" BIGINT,
    "outcome" TEXT,
    "reason" TEXT,
    "exit_code" INTEGER,
    "report" JSONB,
    "commit" TEXT,
    "run_url" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_leases" (
    "key" TEXT NOT NULL,
    "owner" TEXT,
    "fence" BIGINT NOT NULL,
    "acquired_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_leases_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "maintenance" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "phase" "maintenance_phase" NOT NULL,
    "reason" TEXT,
    "until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_by" TEXT,

    CONSTRAINT "maintenance_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payouts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "currency" CHAR(3) NOT NULL DEFAULT 'INR',
    "gross_paise" BIGINT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "tax_paise" BIGINT,
    "net_paise" BIGINT,
    "status" "payout_status" NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "approved_at" TIMESTAMPTZ(3),
    "claimed_by" UUID,
    "claim_fence" BIGINT,
    "claimed_at" TIMESTAMPTZ(3),
    "failure_code" TEXT,
    "failure_message" TEXT,
    "completed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payouts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payout_items" (
    "payout_id" UUID NOT NULL,
    "earning_id" UUID NOT NULL,
    "gross_paise" BIGINT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "payout_items_pkey" PRIMARY KEY ("payout_id","earning_id")
);

-- CreateTable
CREATE TABLE "payout_attempts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "payout_id" UUID NOT NULL,
    "attempt_no" INTEGER NOT NULL,
    "payout_account_id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "state" "attempt_state" NOT NULL DEFAULT 'PREPARED',
    "idempotency_key" TEXT NOT NULL,
    "reference_id" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "request_body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),
    "provider_payout_id" TEXT,
    "provider_status" TEXT,
    "fees_paise" BIGINT,
    "fees_tax_paise" BIGINT,
    "utr" TEXT,
    "http_status" INTEGER,
    "failure_code" TEXT,
    "response_body" JSONB,

    CONSTRAINT "payout_attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tax_deductions" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "payout_id" UUID NOT NULL,
    "earning_id" UUID NOT NULL,
    "fiscal_year" INTEGER NOT NULL,
    "credited_on" DATE NOT NULL,
    "gross_paise" BIGINT NOT NULL,
    "tax_paise" BIGINT NOT NULL,
    "rate_bps" INTEGER NOT NULL,
    "section" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "carried_forward_paise" BIGINT NOT NULL DEFAULT 0,
    "certificate_id" UUID,
    "certificate_gross_paise" BIGINT NOT NULL DEFAULT 0,
    "status" "deduction_status" NOT NULL DEFAULT 'RESERVED',
    "reverses_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sequence" BIGSERIAL NOT NULL,

    CONSTRAINT "tax_deductions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "consultants_external_ref_key" ON "consultants"("external_ref");

-- CreateIndex
CREATE UNIQUE INDEX "consultants_provider_contact_id_key" ON "consultants"("provider_contact_id");

-- CreateIndex
CREATE UNIQUE INDEX "lower_deduction_certificates_consultant_id_number_key" ON "lower_deduction_certificates"("consultant_id", "number");

-- CreateIndex
CREATE INDEX "payout_accounts_consultant_id_idx" ON "payout_accounts"("consultant_id");

-- CreateIndex
CREATE UNIQUE INDEX "earnings_booking_reference_key" ON "earnings"("booking_reference");

-- CreateIndex
CREATE INDEX "earnings_consultant_id_status_credited_on_idx" ON "earnings"("consultant_id", "status", "credited_on");

-- CreateIndex
CREATE INDEX "ledger_accounts_consultant_id_idx" ON "ledger_accounts"("consultant_id");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_transactions_key_key" ON "ledger_transactions"("key");

-- CreateIndex
CREATE INDEX "ledger_transactions_earning_id_idx" ON "ledger_transactions"("earning_id");

-- CreateIndex
CREATE INDEX "ledger_transactions_payout_id_idx" ON "ledger_transactions"("payout_id");

-- CreateIndex
CREATE INDEX "ledger_entries_transaction_id_idx" ON "ledger_entries"("transaction_id");

-- CreateIndex
CREATE INDEX "ledger_entries_account_id_idx" ON "ledger_entries"("account_id");

-- CreateIndex
CREATE INDEX "job_runs_job_started_at_idx" ON "job_runs"("job", "started_at" DESC);

-- CreateIndex
CREATE INDEX "payouts_status_approved_at_id_idx" ON "payouts"("status", "approved_at", "id");

-- CreateIndex
CREATE INDEX "payouts_consultant_id_idx" ON "payouts"("consultant_id");

-- CreateIndex
CREATE INDEX "payout_items_earning_id_idx" ON "payout_items"("earning_id");

-- CreateIndex
CREATE UNIQUE INDEX "payout_attempts_idempotency_key_key" ON "payout_attempts"("idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "payout_attempts_reference_id_key" ON "payout_attempts"("reference_id");

-- CreateIndex
CREATE UNIQUE INDEX "payout_attempts_provider_payout_id_key" ON "payout_attempts"("provider_payout_id");

-- CreateIndex
CREATE INDEX "payout_attempts_state_created_at_idx" ON "payout_attempts"("state", "created_at");

-- CreateIndex
CREATE INDEX "payout_attempts_payout_account_id_idx" ON "payout_attempts"("payout_account_id");

-- CreateIndex
CREATE UNIQUE INDEX "payout_attempts_payout_id_attempt_no_key" ON "payout_attempts"("payout_id", "attempt_no");

-- CreateIndex
CREATE UNIQUE INDEX "tax_deductions_reverses_id_key" ON "tax_deductions"("reverses_id");

-- CreateIndex
CREATE UNIQUE INDEX "tax_deductions_sequence_key" ON "tax_deductions"("sequence");

-- CreateIndex
CREATE INDEX "tax_deductions_consultant_id_fiscal_year_idx" ON "tax_deductions"("consultant_id", "fiscal_year");

-- CreateIndex
CREATE INDEX "tax_deductions_payout_id_idx" ON "tax_deductions"("payout_id");

-- CreateIndex
CREATE INDEX "tax_deductions_earning_id_idx" ON "tax_deductions"("earning_id");

-- CreateIndex
CREATE INDEX "tax_deductions_certificate_id_idx" ON "tax_deductions"("certificate_id");

-- AddForeignKey
ALTER TABLE "tax_profiles" ADD CONSTRAINT "tax_profiles_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "lower_deduction_certificates" ADD CONSTRAINT "lower_deduction_certificates_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payout_accounts" ADD CONSTRAINT "payout_accounts_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "earnings" ADD CONSTRAINT "earnings_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_accounts" ADD CONSTRAINT "ledger_accounts_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_transactions" ADD CONSTRAINT "ledger_transactions_earning_id_fkey" FOREIGN KEY ("earning_id") REFERENCES "earnings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_transactions" ADD CONSTRAINT "ledger_transactions_payout_id_fkey" FOREIGN KEY ("payout_id") REFERENCES "payouts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_transaction_id_fkey" FOREIGN KEY ("transaction_id") REFERENCES "ledger_transactions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "ledger_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payouts" ADD CONSTRAINT "payouts_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payout_items" ADD CONSTRAINT "payout_items_payout_id_fkey" FOREIGN KEY ("payout_id") REFERENCES "payouts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payout_items" ADD CONSTRAINT "payout_items_earning_id_fkey" FOREIGN KEY ("earning_id") REFERENCES "earnings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payout_attempts" ADD CONSTRAINT "payout_attempts_payout_id_fkey" FOREIGN KEY ("payout_id") REFERENCES "payouts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payout_attempts" ADD CONSTRAINT "payout_attempts_payout_account_id_fkey" FOREIGN KEY ("payout_account_id") REFERENCES "payout_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_deductions" ADD CONSTRAINT "tax_deductions_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_deductions" ADD CONSTRAINT "tax_deductions_payout_id_fkey" FOREIGN KEY ("payout_id") REFERENCES "payouts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_deductions" ADD CONSTRAINT "tax_deductions_earning_id_fkey" FOREIGN KEY ("earning_id") REFERENCES "earnings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_deductions" ADD CONSTRAINT "tax_deductions_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "lower_deduction_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_deductions" ADD CONSTRAINT "tax_deductions_reverses_id_fkey" FOREIGN KEY ("reverses_id") REFERENCES "tax_deductions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
