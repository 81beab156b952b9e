-- AlterEnum
ALTER TYPE "ledger_account_code" ADD VALUE 'WALLET';

-- AlterTable
ALTER TABLE "ledger_accounts" ADD COLUMN     "wallet_id" UUID;

-- AlterTable
ALTER TABLE "payouts" ADD COLUMN     "organization_id" UUID;

-- CreateTable
CREATE TABLE "organizations" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "external_ref" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "payee_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "wallet_accounts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "currency" CHAR(3) NOT NULL DEFAULT 'INR',
    "balance_paise" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "wallet_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "provider_transactions" (
    "id" TEXT NOT NULL,
    "credit_paise" BIGINT NOT NULL,
    "debit_paise" BIGINT NOT NULL,
    "balance_paise" BIGINT,
    "source_entity" TEXT,
    "source_id" TEXT,
    "provider_payout_id" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "read_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "provider_transactions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "provider_days" (
    "day" DATE NOT NULL,
    "opening_paise" BIGINT NOT NULL,
    "credits_paise" BIGINT NOT NULL,
    "debits_paise" BIGINT NOT NULL,
    "closing_paise" BIGINT NOT NULL,
    "transactions" INTEGER NOT NULL,
    "closed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "provider_days_pkey" PRIMARY KEY ("day")
);

-- CreateTable
CREATE TABLE "tax_deposits" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "month" DATE NOT NULL,
    "section" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "challan_reference" TEXT NOT NULL,
    "deposited_on" DATE NOT NULL,
    "recorded_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tax_deposits_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "organizations_external_ref_key" ON "organizations"("external_ref");

-- CreateIndex
CREATE UNIQUE INDEX "organizations_payee_id_key" ON "organizations"("payee_id");

-- CreateIndex
CREATE UNIQUE INDEX "wallet_accounts_organization_id_currency_key" ON "wallet_accounts"("organization_id", "currency");

-- CreateIndex
CREATE INDEX "provider_transactions_at_id_idx" ON "provider_transactions"("at", "id");

-- CreateIndex
CREATE INDEX "provider_transactions_provider_payout_id_idx" ON "provider_transactions"("provider_payout_id");

-- CreateIndex
CREATE UNIQUE INDEX "tax_deposits_challan_reference_key" ON "tax_deposits"("challan_reference");

-- CreateIndex
CREATE INDEX "tax_deposits_month_idx" ON "tax_deposits"("month");

-- CreateIndex
CREATE INDEX "ledger_accounts_wallet_id_idx" ON "ledger_accounts"("wallet_id");

-- CreateIndex
CREATE INDEX "payouts_organization_id_idx" ON "payouts"("organization_id");

-- AddForeignKey
ALTER TABLE "ledger_accounts" ADD CONSTRAINT "ledger_accounts_wallet_id_fkey" FOREIGN KEY ("wallet_id") REFERENCES "wallet_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_payee_id_fkey" FOREIGN KEY ("payee_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "wallet_accounts" ADD CONSTRAINT "wallet_accounts_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payouts" ADD CONSTRAINT "payouts_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the schema language cannot say -------------------------------------------------------------

-- Organizations ----------------------------------------------------------------------------------

-- An organization's payout goes to its payee, its payee gets no other, and each stays what it is.
CREATE FUNCTION "guard_payout_organization"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'the payee of payout % can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_payee';
  END IF;
  IF NEW.organization_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM organizations WHERE id = NEW.organization_id AND payee_id = NEW.consultant_id
  ) THEN
    RAISE EXCEPTION 'payout % does not go to the payee of organization %', NEW.id, NEW.organization_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_payee';
  END IF;
  IF NEW.organization_id IS NULL AND EXISTS (
    SELECT 1 FROM organizations WHERE payee_id = NEW.consultant_id
  ) THEN
    RAISE EXCEPTION 'payout % goes to the payee of an organization and does not name it', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_payee';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "payouts_payee_insert" BEFORE INSERT ON "payouts"
  FOR EACH ROW EXECUTE FUNCTION "guard_payout_organization"();
CREATE TRIGGER "payouts_payee_update" BEFORE UPDATE OF "consultant_id", "organization_id" ON "payouts"
  FOR EACH ROW WHEN ((OLD.consultant_id, OLD.organization_id) IS DISTINCT FROM (NEW.consultant_id, NEW.organization_id))
  EXECUTE FUNCTION "guard_payout_organization"();

ALTER TABLE "payouts"
  ADD CONSTRAINT "payouts_organization_unapproved" CHECK ("organization_id" IS NULL OR "status" <> 'APPROVED');

-- The pay run reads what waits of organizations, oldest first.
CREATE INDEX "payouts_organization_waiting" ON "payouts" ("created_at", "id")
  WHERE "organization_id" IS NOT NULL AND "status" = 'PENDING';

-- State graph ------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION "guard_payout_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
    'PENDING>APPROVED', 'PENDING>REJECTED', 'APPROVED>REJECTED',
    'APPROVED>PROCESSING',
    'PROCESSING>APPROVED',   -- a systemic refusal: the row is not to blame and waits for the next run
    'PROCESSING>COMPLETED', 'PROCESSING>FAILED',
    'FAILED>APPROVED',       -- a person's retry
    'COMPLETED>REVERSED'
  ]) AND NOT (NEW.organization_id IS NOT NULL
    -- The same for an organization, whose payouts nobody approves.
    AND (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
      'PENDING>PROCESSING', 'PROCESSING>PENDING', 'FAILED>PENDING'
    ])
  ) THEN
    RAISE EXCEPTION 'payout % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_status_graph';
  END IF;
  -- A payout whose money may be on its way never goes back to a state from which it could be sent again,
  -- and money has come back only when the provider says so of the attempt that carried it.
  IF (OLD.status = 'PROCESSING' AND NEW.status IN ('PENDING', 'APPROVED', 'FAILED') OR NEW.status = 'REVERSED')
    AND EXISTS (
      SELECT 1 FROM payout_attempts
      WHERE payout_id = NEW.id AND state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')
    )
  THEN
    RAISE EXCEPTION 'payout % has an attempt that may be alive', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_no_live_attempt';
  END IF;
  IF NEW.status = 'REVERSED' AND NOT EXISTS (
    SELECT 1 FROM payout_attempts WHERE payout_id = NEW.id AND state = 'REVERSED'
  ) THEN
    RAISE EXCEPTION 'payout % has no attempt whose money came back', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_reversed_by_provider';
  END IF;
  RETURN NEW;
END $$;

-- Books ------------------------------------------------------------------------------------------

ALTER TABLE "wallet_accounts"
  ADD CONSTRAINT "wallet_accounts_balance" CHECK ("balance_paise" >= 0);

ALTER TABLE "ledger_accounts" DROP CONSTRAINT "ledger_accounts_owner";
-- As text: a value that was just added to the type can not be named in the transaction that adds it.
ALTER TABLE "ledger_accounts"
  ADD CONSTRAINT "ledger_accounts_owner" CHECK (
    ("code"::text = 'CONSULTANT_PAYABLE') = ("consultant_id" IS NOT NULL)
    AND ("code"::text = 'WALLET') = ("wallet_id" IS NOT NULL)
  );

DROP INDEX "ledger_accounts_one_per_owner";
CREATE UNIQUE INDEX "ledger_accounts_one_per_owner"
  ON "ledger_accounts" ("code", COALESCE("consultant_id", "wallet_id", '00000000-0000-0000-0000-000000000000'));

-- The provider's account -------------------------------------------------------------------------

ALTER TABLE "provider_transactions"
  ADD CONSTRAINT "provider_transactions_amounts" CHECK (
    "credit_paise" >= 0 AND "debit_paise" >= 0 AND ("credit_paise" = 0) <> ("debit_paise" = 0)
  );
ALTER TABLE "provider_days"
  ADD CONSTRAINT "provider_days_proven" CHECK (
    "opening_paise" + "credits_paise" - "debits_paise" = "closing_paise"
    AND "credits_paise" >= 0 AND "debits_paise" >= 0 AND "transactions" >= 0
  );

CREATE TRIGGER "provider_transactions_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "provider_transactions"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "provider_days_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "provider_days"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Tax --------------------------------------------------------------------------------------------

ALTER TABLE "tax_deposits"
  ADD CONSTRAINT "tax_deposits_said" CHECK (
    "amount_paise" > 0 AND "month" = date_trunc('month', "month")::date AND "deposited_on" >= "month"
    AND btrim("challan_reference") <> '' AND btrim("recorded_by") <> ''
    AND btrim("section") <> '' AND btrim("code") <> ''
  );
CREATE TRIGGER "tax_deposits_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "tax_deposits"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Findings ---------------------------------------------------------------------------------------

ALTER TABLE "findings"
  ADD CONSTRAINT "findings_resolution_said" CHECK (
    "resolved_at" IS NULL OR (btrim("resolved_by") <> '' AND btrim("resolution") <> '')
  );

-- What a person has resolved is not touched again: the same difference, seen later, is a new finding.
CREATE FUNCTION "guard_finding"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'finding % is resolved and can not change', OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'findings_resolved_once';
END $$;
CREATE TRIGGER "findings_resolved_once" BEFORE UPDATE ON "findings"
  FOR EACH ROW WHEN (OLD.resolved_at IS NOT NULL) EXECUTE FUNCTION "guard_finding"();
