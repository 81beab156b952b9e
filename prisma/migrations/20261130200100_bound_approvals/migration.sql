-- An approval covers what the person saw: the payee's account, the amount and the sales. The database writes down all three
-- whenever an approval is given or given again, whoever gives it. Whoever claims compares. A payout that a batch approves by
-- itself is bound to nothing: it follows the payee's active account.
ALTER TABLE "payouts"
  ADD COLUMN "approved_account_id" UUID,
  ADD COLUMN "approved_amount_paise" BIGINT,
  ADD COLUMN "approved_items" TEXT;

ALTER TABLE "payouts" ADD CONSTRAINT "payouts_approved_account_id_fkey"
  FOREIGN KEY ("approved_account_id") REFERENCES "payout_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The sales of a payout with their amounts, in one text. A sale that has left a failed payout belongs to it all the same.
CREATE FUNCTION "payout_items_digest"(payout uuid) RETURNS text LANGUAGE sql STABLE
  RETURN (
    SELECT md5(COALESCE(string_agg(item.earning_id || ' ' || item.gross_paise || ' ' || item.amount_paise, ','
                                   ORDER BY item.earning_id), ''))
    FROM payout_items AS item WHERE item.payout_id = payout);

CREATE FUNCTION "bind_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.approved_account_id := (
    SELECT account.id FROM payout_accounts AS account WHERE account.consultant_id = NEW.consultant_id AND account.active);
  NEW.approved_amount_paise := NEW.amount_paise;
  NEW.approved_items := payout_items_digest(NEW.id);
  -- Why it waited for a person again.
  IF OLD.status = 'PENDING' THEN
    NEW.failure_code := NULL;
    NEW.failure_message := NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "payouts_bind_approval" BEFORE UPDATE OF "approved_at" ON "payouts"
  FOR EACH ROW WHEN (NEW.approved_at IS NOT NULL AND NEW.organization_id IS NULL)
  EXECUTE FUNCTION "bind_approval"();

-- What the approval covered stays, so that it can be said why the payout waits again.
CREATE FUNCTION "end_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.approved_at := NULL;
  NEW.approved_login := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER "payouts_end_approval" BEFORE UPDATE OF "status" ON "payouts"
  FOR EACH ROW WHEN (NEW.status = 'PENDING' AND OLD.status IS DISTINCT FROM 'PENDING')
  EXECUTE FUNCTION "end_approval"();

-- As before, and: a claim whose approval does not cover the payout any more gives it back to a person.
CREATE OR REPLACE FUNCTION "guard_payout_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
    'PENDING>APPROVED', 'PENDING>REJECTED', 'APPROVED>REJECTED',
    'APPROVED>PROCESSING',
    'PROCESSING>APPROVED',   -- a systemic refusal: the row is not to blame and waits for the next run
    'PROCESSING>PENDING',    -- the approval does not cover it any more; an organization's waits as PENDING anyway
    'PROCESSING>COMPLETED', 'PROCESSING>FAILED',
    'FAILED>APPROVED',       -- a person's retry
    'COMPLETED>REVERSED'
  ]) AND NOT (NEW.organization_id IS NOT NULL
    -- The same for an organization, whose payouts nobody approves.
    AND (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
      'PENDING>PROCESSING', 'FAILED>PENDING'
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
