-- The invariants of money that SQL can say. A statement that breaks one fails, whoever sends it.

-- Amounts ---------------------------------------------------------------------------------------

ALTER TABLE "earnings"
  ADD CONSTRAINT "earnings_amounts" CHECK (
    "gross_paise" > 0 AND "platform_fee_paise" >= 0
    AND "amount_paise" = "gross_paise" - "platform_fee_paise" AND "amount_paise" > 0
  );

-- What is withheld and what is paid always make up what is owed, and tax never exceeds it.
ALTER TABLE "payouts"
  ADD CONSTRAINT "payouts_amounts" CHECK ("amount_paise" > 0 AND "gross_paise" >= "amount_paise"),
  -- Both or neither: a comparison with one that is absent is unknown, and a check lets that pass.
  ADD CONSTRAINT "payouts_net_plus_tax" CHECK (
    ("tax_paise" IS NULL) = ("net_paise" IS NULL)
    AND "tax_paise" >= 0 AND "net_paise" >= 0 AND "net_paise" + "tax_paise" = "amount_paise"
  ),
  ADD CONSTRAINT "payouts_tries" CHECK ("tries" >= 0),
  ADD CONSTRAINT "payouts_processing_is_claimed" CHECK (
    "status" <> 'PROCESSING'
    OR ("claimed_by" IS NOT NULL AND "claimed_at" IS NOT NULL)
  ),
  ADD CONSTRAINT "payouts_completed_is_taxed" CHECK (
    "status" NOT IN ('COMPLETED', 'REVERSED') OR "tax_paise" IS NOT NULL
  ),
  ADD CONSTRAINT "payouts_approved_has_time" CHECK (
    "status" <> 'APPROVED' OR "approved_at" IS NOT NULL
  );

ALTER TABLE "payout_items"
  ADD CONSTRAINT "payout_items_amounts" CHECK (
    "amount_paise" > 0 AND "gross_paise" >= "amount_paise"
  );

ALTER TABLE "payout_attempts"
  ADD CONSTRAINT "payout_attempts_amount" CHECK ("amount_paise" > 0),
  ADD CONSTRAINT "payout_attempts_number" CHECK ("attempt_no" >= 1),
  ADD CONSTRAINT "payout_attempts_hash" CHECK ("request_hash" ~ '^[0-9a-f]{64}$'),
  ADD CONSTRAINT "payout_attempts_accepted_has_id" CHECK (
    "state" NOT IN ('ACCEPTED', 'PROCESSED', 'FAILED', 'REVERSED')
    OR "provider_payout_id" IS NOT NULL
  );

ALTER TABLE "payout_accounts"
  ADD CONSTRAINT "payout_accounts_kind" CHECK (
    ("kind" = 'bank_account' AND "ifsc" IS NOT NULL AND "account_number" IS NOT NULL AND "vpa" IS NULL)
    OR ("kind" = 'vpa' AND "vpa" IS NOT NULL AND "ifsc" IS NULL AND "account_number" IS NULL)
  );

ALTER TABLE "tax_profiles"
  ADD CONSTRAINT "tax_profiles_pan" CHECK (
    ("pan_status" = 'missing') = ("pan" IS NULL)
    AND ("pan" IS NULL OR "pan" ~ '^[A-Z]{5}[0-9]{4}[A-Z]$')
  ),
  ADD CONSTRAINT "tax_profiles_relief" CHECK (
    ("pan_relief_from" IS NULL) = ("pan_relief_to" IS NULL)
    AND ("pan_relief_from" IS NULL OR "pan_relief_from" <= "pan_relief_to")
  );

ALTER TABLE "lower_deduction_certificates"
  ADD CONSTRAINT "lower_deduction_certificates_terms" CHECK (
    "rate_bps" >= 0 AND "rate_bps" <= 10000 AND "valid_from" <= "valid_to" AND "ceiling_paise" > 0
  );

ALTER TABLE "tax_deductions"
  ADD CONSTRAINT "tax_deductions_amounts" CHECK (
    ("reverses_id" IS NULL AND "gross_paise" > 0 AND "tax_paise" >= 0
      AND "carried_forward_paise" >= 0 AND "certificate_gross_paise" >= 0)
    OR ("reverses_id" IS NOT NULL AND "gross_paise" <= 0 AND "tax_paise" <= 0
      AND "certificate_gross_paise" <= 0)
  ),
  ADD CONSTRAINT "tax_deductions_rate" CHECK ("rate_bps" >= 0 AND "rate_bps" <= 10000);

ALTER TABLE "ledger_entries"
  ADD CONSTRAINT "ledger_entries_nonzero" CHECK ("amount_paise" <> 0);

ALTER TABLE "ledger_accounts"
  ADD CONSTRAINT "ledger_accounts_owner" CHECK (
    ("code" = 'CONSULTANT_PAYABLE') = ("consultant_id" IS NOT NULL)
  );

ALTER TABLE "maintenance"
  ADD CONSTRAINT "maintenance_one_row" CHECK ("id" = 1);

-- At most one ------------------------------------------------------------------------------------

-- One obligation, at most one payout at the provider that is or may be alive.
CREATE UNIQUE INDEX "payout_attempts_one_live" ON "payout_attempts" ("payout_id")
  WHERE "state" IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED');

-- One earning, at most one payout that holds it.
CREATE UNIQUE INDEX "payout_items_one_holder" ON "payout_items" ("earning_id")
  WHERE "released_at" IS NULL;

CREATE UNIQUE INDEX "payout_accounts_one_active" ON "payout_accounts" ("consultant_id")
  WHERE "active";

CREATE UNIQUE INDEX "ledger_accounts_one_per_owner"
  ON "ledger_accounts" ("code", COALESCE("consultant_id", '00000000-0000-0000-0000-000000000000'));

-- State graphs -----------------------------------------------------------------------------------

CREATE FUNCTION "guard_payout_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
    'PENDING>APPROVED', 'PENDING>REJECTED', 'APPROVED>REJECTED',
    'APPROVED>PROCESSING',
    'PROCESSING>APPROVED',   -- a systemic refusal: the row is not to blame and waits for the next run
    'PROCESSING>COMPLETED', 'PROCESSING>FAILED',
    'FAILED>APPROVED',       -- a person's retry
    'COMPLETED>REVERSED'
  ]) THEN
    RAISE EXCEPTION 'payout % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_status_graph';
  END IF;
  -- A payout whose money may be on its way never goes back to a state from which it could be sent again.
  IF NEW.status IN ('APPROVED', 'FAILED') AND OLD.status = 'PROCESSING' AND EXISTS (
    SELECT 1 FROM payout_attempts
    WHERE payout_id = NEW.id AND state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')
  ) THEN
    RAISE EXCEPTION 'payout % has an attempt that may be alive', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_no_live_attempt';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "payouts_status_graph" BEFORE UPDATE OF "status" ON "payouts"
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION "guard_payout_status"();

CREATE FUNCTION "guard_attempt"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- Attempt n+1 only after the provider said that attempt n is definitely failed.
    IF NEW.state <> 'PREPARED' OR NEW.attempt_no <> 1 + (
      SELECT count(*) FROM payout_attempts
      WHERE payout_id = NEW.payout_id AND state IN ('REFUSED', 'FAILED', 'REVERSED')
    ) THEN
      RAISE EXCEPTION 'attempt % of payout % is not the next one', NEW.attempt_no, NEW.payout_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_in_turn';
    END IF;
    -- The amount that leaves is the net of the payout, of a payout that is claimed. The lock waits for a
    -- run that takes the claim over at this moment.
    PERFORM 1 FROM payouts
      WHERE id = NEW.payout_id AND status = 'PROCESSING' AND claimed_by = NEW.run_id
        AND net_paise = NEW.amount_paise
      FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'payout % is not claimed by run % with net %', NEW.payout_id, NEW.run_id, NEW.amount_paise
        USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_claimed';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.payout_id, NEW.attempt_no, NEW.payout_account_id, NEW.run_id, NEW.idempotency_key,
      NEW.reference_id, NEW.mode, NEW.amount_paise, NEW.request_hash, NEW.request_body)
     IS DISTINCT FROM
     (OLD.payout_id, OLD.attempt_no, OLD.payout_account_id, OLD.run_id, OLD.idempotency_key,
      OLD.reference_id, OLD.mode, OLD.amount_paise, OLD.request_hash, OLD.request_body) THEN
    RAISE EXCEPTION 'the request of attempt % can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_immutable';
  END IF;
  IF OLD.provider_payout_id IS DISTINCT FROM NEW.provider_payout_id AND OLD.provider_payout_id IS NOT NULL THEN
    RAISE EXCEPTION 'attempt % is % at the provider and no other', OLD.id, OLD.provider_payout_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_immutable';
  END IF;
  IF OLD.state <> NEW.state AND NOT (OLD.state::text || '>' || NEW.state::text) = ANY (ARRAY[
    'PREPARED>ACCEPTED', 'PREPARED>PROCESSED', 'PREPARED>REFUSED', 'PREPARED>FAILED', 'PREPARED>UNKNOWN',
    'UNKNOWN>ACCEPTED', 'UNKNOWN>PROCESSED', 'UNKNOWN>REFUSED', 'UNKNOWN>FAILED', 'UNKNOWN>REVERSED',
    'ACCEPTED>PROCESSED', 'ACCEPTED>FAILED', 'ACCEPTED>REVERSED',
    'PROCESSED>REVERSED'
  ]) THEN
    RAISE EXCEPTION 'attempt % cannot go from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_state_graph';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "payout_attempts_guard" BEFORE INSERT OR UPDATE ON "payout_attempts"
  FOR EACH ROW EXECUTE FUNCTION "guard_attempt"();

-- Tax --------------------------------------------------------------------------------------------

-- A reversal takes back at most what it reverses; an assessed row never changes but to become final.
CREATE FUNCTION "guard_deduction"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE reversed tax_deductions%ROWTYPE;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (to_jsonb(NEW) - 'status') IS DISTINCT FROM (to_jsonb(OLD) - 'status')
       OR (OLD.status = 'FINAL' AND NEW.status <> 'FINAL') THEN
      RAISE EXCEPTION 'tax deduction % can only become final', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'tax_deductions_append_only';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.reverses_id IS NOT NULL THEN
    SELECT * INTO reversed FROM tax_deductions WHERE id = NEW.reverses_id;
    IF reversed.reverses_id IS NOT NULL OR reversed.consultant_id <> NEW.consultant_id
       OR reversed.fiscal_year <> NEW.fiscal_year OR -NEW.tax_paise > reversed.tax_paise
       OR -NEW.gross_paise > reversed.gross_paise
       OR -NEW.certificate_gross_paise > reversed.certificate_gross_paise THEN
      RAISE EXCEPTION 'reversal of tax deduction % takes back more than it reverses', NEW.reverses_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'tax_deductions_reversal';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "tax_deductions_guard" BEFORE INSERT OR UPDATE ON "tax_deductions"
  FOR EACH ROW EXECUTE FUNCTION "guard_deduction"();

-- Books ------------------------------------------------------------------------------------------

CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;

CREATE TRIGGER "ledger_transactions_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_transactions"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "ledger_entries_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_entries"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "tax_deductions_no_delete" BEFORE DELETE OR TRUNCATE ON "tax_deductions"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "payout_attempts_no_delete" BEFORE DELETE OR TRUNCATE ON "payout_attempts"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- A transaction balances when it commits, has entries, and gets all of them when it is posted: entries
-- that are added to it later are refused, also when they balance. `now()` is the start of the database's
-- transaction, which is the default of `posted_at`, to the same precision.
CREATE FUNCTION "guard_ledger_balance"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE checked uuid;
DECLARE total numeric;
DECLARE entries bigint;
BEGIN
  checked := CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN (to_jsonb(NEW)->>'transaction_id')::uuid ELSE (to_jsonb(NEW)->>'id')::uuid END;
  SELECT COALESCE(sum(amount_paise), 0), count(*) INTO total, entries
    FROM ledger_entries WHERE transaction_id = checked;
  IF total <> 0 OR entries < 2 THEN
    RAISE EXCEPTION 'ledger transaction % does not balance: % entries, sum %', checked, entries, total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_balanced';
  END IF;
  IF TG_TABLE_NAME = 'ledger_entries' AND NOT EXISTS (
    SELECT 1 FROM ledger_transactions WHERE id = checked AND posted_at = now()::timestamptz(3)
  ) THEN
    RAISE EXCEPTION 'ledger transaction % was posted earlier and gets no more entries', checked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_closed';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER "ledger_transactions_balanced" AFTER INSERT ON "ledger_transactions"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_ledger_balance"();
CREATE CONSTRAINT TRIGGER "ledger_entries_balanced" AFTER INSERT ON "ledger_entries"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_ledger_balance"();
