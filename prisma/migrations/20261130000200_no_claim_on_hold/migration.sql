-- Nobody is paid while on hold: the claim, the one way to a payment, is refused for a payee with an open hold. Whoever
-- claims locks the payee's row first, as placing a hold does (see "guard_hold"), so that of a claim and a hold at the
-- same moment one is before the other.
CREATE FUNCTION "guard_claim_on_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
