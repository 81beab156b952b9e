-- The books are checked once for a statement and once for a transaction of theirs, no longer once for each
-- entry: a payout has five entries, and each of them added all five up at commit.
--
-- The guarantee is the same, and its first half comes earlier. A statement that adds entries must leave each
-- of its ledger transactions in balance, all of its entries at once, and may add to none that was posted
-- earlier. So no transaction is ever out of balance, not even within the database's transaction, whatever is
-- done to the mode of constraints. That each has entries at all is still looked at when it commits.

CREATE FUNCTION "guard_ledger_entries"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE checked record;
BEGIN
  SELECT added.transaction_id AS id, sum(added.amount_paise) AS total, count(*) AS entries
    INTO checked
    FROM added GROUP BY added.transaction_id
    HAVING sum(added.amount_paise) <> 0 OR count(*) < 2
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger transaction % does not balance: % entries, sum %', checked.id, checked.entries, checked.total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_balanced';
  END IF;
  -- `now()` is the start of the database's transaction, which is the default of `posted_at`, to the same
  -- precision.
  SELECT added.transaction_id AS id INTO checked
    FROM (SELECT DISTINCT transaction_id FROM added) AS added
    WHERE NOT EXISTS (
      SELECT 1 FROM ledger_transactions
      WHERE id = added.transaction_id AND posted_at = now()::timestamptz(3))
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger transaction % was posted earlier and gets no more entries', checked.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_closed';
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER "ledger_entries_balanced" ON "ledger_entries";
CREATE TRIGGER "ledger_entries_balanced" AFTER INSERT ON "ledger_entries"
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "guard_ledger_entries"();

CREATE OR REPLACE FUNCTION "guard_ledger_balance"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE total numeric;
DECLARE entries bigint;
BEGIN
  SELECT COALESCE(sum(amount_paise), 0), count(*) INTO total, entries
    FROM ledger_entries WHERE transaction_id = NEW.id;
  IF total <> 0 OR entries < 2 THEN
    RAISE EXCEPTION 'ledger transaction % does not balance: % entries, sum %', NEW.id, entries, total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_balanced';
  END IF;
  RETURN NULL;
END $$;

-- Attempts -----------------------------------------------------------------------------------------

-- What a new attempt must be is looked at once for a statement as well, and by index whatever the planner
-- thinks of the size of the tables: its plan for one row was made when there were no attempts yet, read all
-- attempts there are, and was kept for the whole session (9,000 attempts of one run: 2.3 ms each).
CREATE FUNCTION "guard_new_attempts"() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE wrong record;
BEGIN
  -- Attempt n+1 only after the provider said that attempt n is definitely failed.
  SELECT added.payout_id, added.attempt_no INTO wrong FROM added
    WHERE added.state <> 'PREPARED' OR added.attempt_no <> 1 + (
      SELECT count(*) FILTER (WHERE earlier.state IN ('REFUSED', 'FAILED', 'REVERSED'))
      FROM payout_attempts AS earlier WHERE earlier.payout_id = added.payout_id)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'attempt % of payout % is not the next one', wrong.attempt_no, wrong.payout_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_in_turn';
  END IF;
  -- The amount that leaves is the net of the payout, of a payout that is claimed. The lock waits for a
  -- run that takes the claim over at this moment; what it has done, the next statement sees.
  PERFORM 1 FROM payouts WHERE id IN (SELECT payout_id FROM added) ORDER BY id FOR SHARE;
  SELECT added.payout_id, added.run_id, added.amount_paise INTO wrong FROM added
    WHERE NOT EXISTS (
      SELECT 1 FROM payouts
      WHERE id = added.payout_id AND status::text = 'PROCESSING' AND claimed_by = added.run_id
        AND net_paise = added.amount_paise)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'payout % is not claimed by run % with net %', wrong.payout_id, wrong.run_id, wrong.amount_paise
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_claimed';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "payout_attempts_guard_new" AFTER INSERT ON "payout_attempts"
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "guard_new_attempts"();

CREATE OR REPLACE FUNCTION "guard_attempt"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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

DROP TRIGGER "payout_attempts_guard" ON "payout_attempts";
CREATE TRIGGER "payout_attempts_guard" BEFORE UPDATE ON "payout_attempts"
  FOR EACH ROW EXECUTE FUNCTION "guard_attempt"();
