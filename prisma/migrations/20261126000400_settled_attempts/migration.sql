-- An attempt that is settled is evidence: what the provider said of it stays as it was recorded. The one thing that
-- can still happen to it is that the money of a paid one comes back.
CREATE FUNCTION "guard_settled_attempt"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'PROCESSED' AND NEW.state = 'REVERSED'
     AND to_jsonb(NEW) - '{state,provider_status,failure_code,settled_at}'::text[]
       = to_jsonb(OLD) - '{state,provider_status,failure_code,settled_at}'::text[] THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'attempt % is settled as % and can not change', OLD.id, OLD.state
    USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_settled_once';
END $$;

-- After "payout_attempts_guard", by name, which says it where a state or the request would change.
CREATE TRIGGER "payout_attempts_settled_once" BEFORE UPDATE ON "payout_attempts"
  FOR EACH ROW WHEN (OLD.state IN ('PROCESSED', 'REFUSED', 'FAILED', 'REVERSED') AND OLD IS DISTINCT FROM NEW)
  EXECUTE FUNCTION "guard_settled_attempt"();

-- Where the money of a payee goes. Another account is another row, which a person adds; a job only notes, once, what
-- the provider calls it.
CREATE FUNCTION "guard_provider_name"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what the provider calls row % of % can not change', OLD.id, TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_provider_name_once';
END $$;

CREATE TRIGGER "consultants_provider_name_once" BEFORE UPDATE OF "provider_contact_id" ON "consultants"
  FOR EACH ROW WHEN (OLD.provider_contact_id IS NOT NULL AND OLD.provider_contact_id IS DISTINCT FROM NEW.provider_contact_id)
  EXECUTE FUNCTION "guard_provider_name"();
CREATE TRIGGER "payout_accounts_provider_name_once" BEFORE UPDATE OF "provider_fund_account_id" ON "payout_accounts"
  FOR EACH ROW WHEN (OLD.provider_fund_account_id IS NOT NULL
    AND OLD.provider_fund_account_id IS DISTINCT FROM NEW.provider_fund_account_id)
  EXECUTE FUNCTION "guard_provider_name"();

-- A payout pays what its own payee earned. As a foreign key: at the end of the statement, whatever the order within.
CREATE FUNCTION "guard_payout_item"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM payouts AS payout JOIN earnings AS earning ON earning.consultant_id = payout.consultant_id
    WHERE payout.id = NEW.payout_id AND earning.id = NEW.earning_id
  ) THEN
    RAISE EXCEPTION 'earning % is not of the payee of payout %', NEW.earning_id, NEW.payout_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_items_of_payee';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "payout_items_of_payee" AFTER INSERT ON "payout_items"
  FOR EACH ROW EXECUTE FUNCTION "guard_payout_item"();
