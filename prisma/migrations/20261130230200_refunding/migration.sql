-- A payment is REFUNDED when all of it has gone back, and REFUNDING from the request until then. A program of before this
-- migration still writes REFUNDED at the request: that is allowed, and the status follows when the refund is settled.
ALTER TABLE "payments" DROP CONSTRAINT "payments_captured",
  ADD CONSTRAINT "payments_captured" CHECK (
    "status" NOT IN ('PAID', 'ORPHANED', 'REFUNDING', 'REFUNDED') OR "captured_at" IS NOT NULL
  );

CREATE OR REPLACE FUNCTION "guard_payment"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.booking_id, NEW.user_id, NEW.organization_id, NEW.currency, NEW.amount_paise)
     IS DISTINCT FROM (OLD.booking_id, OLD.user_id, OLD.organization_id, OLD.currency, OLD.amount_paise)
     OR (OLD.provider_payment_id IS NOT NULL AND NEW.provider_payment_id IS DISTINCT FROM OLD.provider_payment_id)
     OR (OLD.provider_order_id IS NOT NULL AND NEW.provider_order_id IS DISTINCT FROM OLD.provider_order_id) THEN
    RAISE EXCEPTION 'what payment % is for and what the provider calls it can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_immutable';
  END IF;
  IF OLD.status <> NEW.status AND NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
    'PENDING>PAID', 'PENDING>EXPIRED',
    'PENDING>ORPHANED',      -- captured, and another buyer was faster
    'EXPIRED>ORPHANED',      -- captured after the hold had ended
    'ORPHANED>PAID',         -- booked again
    'ORPHANED>REFUNDING', 'PAID>REFUNDING', 'REFUNDING>REFUNDED',
    'ORPHANED>REFUNDED', 'PAID>REFUNDED',
    'REFUNDED>REFUNDING'     -- said too early: some of it has not gone back
  ]) THEN
    RAISE EXCEPTION 'payment % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_status_graph';
  END IF;
  RETURN NEW;
END $$;

CREATE INDEX "payments_refunding" ON "payments" ("id") WHERE "status" = 'REFUNDING';

-- The buyer's money is still here. A payment that becomes REFUNDING beside an open checkout is never refused: only who
-- begins a checkout waits. After the row, so that it sees what was committed while the index of open payments waited.
CREATE FUNCTION "guard_new_checkout"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM payments WHERE booking_id = NEW.booking_id AND id <> NEW.id AND status IN ('PAID', 'REFUNDING')
  ) THEN
    RAISE EXCEPTION 'booking % has a payment whose money is on its way back', NEW.booking_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_refunding_first';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "payments_refunding_first" AFTER INSERT ON "payments"
  FOR EACH ROW WHEN (NEW.status = 'PENDING') EXECUTE FUNCTION "guard_new_checkout"();

CREATE OR REPLACE FUNCTION "guard_payment_leg"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE status payment_status;
BEGIN
  SELECT payment.status INTO status FROM payments AS payment WHERE payment.id = OLD.payment_id;
  IF (to_jsonb(NEW) - 'released_at') IS DISTINCT FROM (to_jsonb(OLD) - 'released_at')
     OR (OLD.released_at IS NOT NULL AND NOT (NEW.released_at IS NULL AND status = 'ORPHANED')) THEN
    RAISE EXCEPTION 'leg % of a payment can only be released, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_legs_released_once';
  END IF;
  IF OLD.released_at IS NULL AND NEW.released_at IS NOT NULL AND status IN ('PAID', 'REFUNDING', 'REFUNDED') THEN
    RAISE EXCEPTION 'leg % is of a payment that is %', OLD.id, status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_legs_released_unpaid';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION "guard_refund"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (
      SELECT 1 FROM payments
      WHERE id = NEW.payment_id AND status IN ('PAID', 'ORPHANED', 'REFUNDING', 'REFUNDED') FOR SHARE
    ) THEN
      RAISE EXCEPTION 'payment % was not captured, so nothing of it goes back', NEW.payment_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_of_captured';
    END IF;
    RETURN NEW;
  END IF;
  IF (to_jsonb(NEW) - 'status' - 'settled_at') IS DISTINCT FROM (to_jsonb(OLD) - 'status' - 'settled_at')
     OR (OLD.status <> 'PENDING' AND NEW.status <> OLD.status) THEN
    RAISE EXCEPTION 'refund % can only be settled, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_settled_once';
  END IF;
  RETURN NEW;
END $$;

-- The one finding that is resolved without a person: a refund has failed, and since then all of its payment went back. As
-- the owner, since a job may open a finding and not close one; only what the legs prove is closed.
CREATE FUNCTION "resolve_failed_refunds"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE failed record;
BEGIN
  IF EXISTS (
    SELECT FROM public.payment_legs AS leg
    WHERE leg.payment_id = NEW.id AND leg.released_at IS NULL AND leg.amount_paise > (
      SELECT COALESCE(sum(back.amount_paise), 0) FROM public.refund_legs AS back
      WHERE back.payment_leg_id = leg.id AND back.state = 'PROCESSED')
  ) THEN
    RETURN NULL;
  END IF;
  FOR failed IN
    SELECT finding.id, finding.kind, finding.subject_id
    FROM public.refunds AS refund JOIN public.findings AS finding
      ON finding.kind = 'refund-failed' AND finding.subject_type = 'refund' AND finding.subject_id = refund.id::text
    WHERE refund.payment_id = NEW.id AND finding.resolved_at IS NULL
  LOOP
    UPDATE public.findings
      SET resolved_at = now(), resolved_by = 'database', resolution = 'all of the payment has gone back since'
      WHERE id = failed.id AND resolved_at IS NULL;
    INSERT INTO public.audit_log (actor, category, action, subject_type, subject_id, reason, detail)
      VALUES ('database', 'finding', 'resolved', 'finding', failed.id::text, 'all of the payment has gone back since',
              jsonb_build_object('kind', failed.kind, 'subjectType', 'refund', 'subjectId', failed.subject_id,
                                 'paymentId', NEW.id));
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER "payments_resolve_failed_refunds" AFTER UPDATE OF "status" ON "payments"
  FOR EACH ROW WHEN (NEW.status = 'REFUNDED' AND OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION "resolve_failed_refunds"();

-- What was said too early until now.
UPDATE "payments" SET "status" = 'REFUNDING', "updated_at" = now()
  WHERE "status" = 'REFUNDED'
    AND EXISTS (SELECT FROM "refunds" WHERE "payment_id" = "payments"."id" AND "status" <> 'PROCESSED')
    AND EXISTS (
      SELECT FROM "payment_legs" AS leg
      WHERE leg."payment_id" = "payments"."id" AND leg."released_at" IS NULL AND leg."amount_paise" > (
        SELECT COALESCE(sum(back."amount_paise"), 0) FROM "refund_legs" AS back
        WHERE back."payment_leg_id" = leg."id" AND back."state" = 'PROCESSED'));
