-- A payment that came late and is booked again takes back the wallet money and credit that its checkout
-- had given back. Then the leg counts as paid once more, so that a refund may go back by it. An ORPHANED
-- payment never expires again, so a leg is released at most once and taken again at most once.
CREATE OR REPLACE FUNCTION "guard_payment_leg"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(NEW) - 'released_at') IS DISTINCT FROM (to_jsonb(OLD) - 'released_at')
     OR (OLD.released_at IS NOT NULL AND NOT (NEW.released_at IS NULL AND EXISTS (
       SELECT 1 FROM payments WHERE id = OLD.payment_id AND status = 'ORPHANED'))) THEN
    RAISE EXCEPTION 'leg % of a payment can only be released, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_legs_released_once';
  END IF;
  RETURN NEW;
END $$;
