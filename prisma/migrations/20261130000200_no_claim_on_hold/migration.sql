-- Nobody is paid while on hold: the claim, the one way to a payment, is refused for a payee with an open hold. Placing a
-- hold takes a lock of its payee's own, which claims share until they are committed: so of a claim and a hold at the same
-- moment one is before the other. It is not the lock of the consultant's row, which a pay run changes beside its claims.
CREATE FUNCTION "payee_lock_key"(payee uuid) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN hashtextextended('payee on hold:' || payee::text, 0);

CREATE FUNCTION "share_payee_lock"(payee uuid) RETURNS void LANGUAGE sql VOLATILE
  RETURN pg_advisory_xact_lock_shared(payee_lock_key(payee));

CREATE FUNCTION "lock_payee_for_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(payee_lock_key(NEW.consultant_id));
  RETURN NEW;
END $$;

-- After "consultant_holds_guard", by name, which locks the consultant's row against batches.
CREATE TRIGGER "consultant_holds_lock_payee" BEFORE INSERT ON "consultant_holds"
  FOR EACH ROW EXECUTE FUNCTION "lock_payee_for_hold"();

-- For whoever claims without asking first. The look comes after the lock, so that it sees what was committed meanwhile.
CREATE FUNCTION "guard_claim_on_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM share_payee_lock(NEW.consultant_id);
  IF EXISTS (SELECT 1 FROM consultant_holds AS hold
             WHERE hold.consultant_id = NEW.consultant_id AND hold.released_at IS NULL) THEN
    RAISE EXCEPTION 'payout % can not be claimed: its payee is on hold', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_not_on_hold';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "payouts_not_on_hold" BEFORE UPDATE OF "status" ON "payouts"
  FOR EACH ROW WHEN (NEW.status = 'PROCESSING' AND OLD.status IS DISTINCT FROM 'PROCESSING')
  EXECUTE FUNCTION "guard_claim_on_hold"();
