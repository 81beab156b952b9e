-- What happens at the provider to captured payments without a request of ours: refunds made in its dashboard, and disputes.

-- How far a list of the provider has been read without a gap.
CREATE TABLE "provider_lists" (
    "name" TEXT NOT NULL,
    "read_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "provider_lists_pkey" PRIMARY KEY ("name")
);

-- Every refund that the provider has told of, until it is known whose it is.
CREATE TABLE "provider_refunds" (
    "id" TEXT NOT NULL,
    "provider_payment_id" TEXT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "status" TEXT NOT NULL,
    "made_at" TIMESTAMPTZ(3) NOT NULL,
    "refund_leg_id" UUID,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "matched_at" TIMESTAMPTZ(3),

    CONSTRAINT "provider_refunds_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "provider_refunds_refund_leg_id_idx" ON "provider_refunds"("refund_leg_id");
ALTER TABLE "provider_refunds" ADD CONSTRAINT "provider_refunds_refund_leg_id_fkey" FOREIGN KEY ("refund_leg_id") REFERENCES "refund_legs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "provider_refunds"
  ADD CONSTRAINT "provider_refunds_amount" CHECK ("amount_paise" >= 0);
CREATE INDEX "provider_refunds_unmatched" ON "provider_refunds" ("made_at", "id") WHERE "matched_at" IS NULL;

-- A buyer, or the buyer's bank, asks for the money of a payment back.
CREATE TABLE "disputes" (
    "id" TEXT NOT NULL,
    "payment_id" UUID,
    "provider_payment_id" TEXT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "deducted_paise" BIGINT NOT NULL DEFAULT 0,
    "currency" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "phase" TEXT,
    "reason_code" TEXT,
    "respond_by" TIMESTAMPTZ(3),
    "raised_at" TIMESTAMPTZ(3) NOT NULL,
    "unmatched" TEXT,
    "holds_consultant" BOOLEAN NOT NULL DEFAULT false,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "disputes_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "disputes_payment_id_idx" ON "disputes"("payment_id");
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "disputes"
  ADD CONSTRAINT "disputes_amounts" CHECK ("amount_paise" >= 0 AND "deducted_paise" >= 0),
  ADD CONSTRAINT "disputes_unmatched_why" CHECK (
    "unmatched" IN ('unknown-payment', 'exceeds-payment', 'payment-refunded', 'other-currency')
    AND ("payment_id" IS NOT NULL OR "unmatched" = 'unknown-payment')
    OR "unmatched" IS NULL AND "payment_id" IS NOT NULL
  );
CREATE INDEX "disputes_open" ON "disputes" ("raised_at", "id") WHERE "ended_at" IS NULL;

CREATE FUNCTION "guard_dispute"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.provider_payment_id IS DISTINCT FROM OLD.provider_payment_id
     OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id)
     OR OLD.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'dispute % stays what it is of, and ends once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'disputes_end_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "disputes_guard" BEFORE UPDATE ON "disputes" FOR EACH ROW EXECUTE FUNCTION "guard_dispute"();
CREATE TRIGGER "disputes_no_delete" BEFORE DELETE OR TRUNCATE ON "disputes"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- The hold of a dispute comes and goes with its row. As the owner, since a job may neither place nor release a hold of a
-- consultant: only this one, by a dispute that is stored. A hold that a person placed stays until a person releases it.
CREATE FUNCTION "hold_for_dispute"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  placer CONSTANT text := 'job:payments/reconcile-payments';
  payee uuid;
  changed integer;
BEGIN
  SELECT plan.consultant_id INTO payee
    FROM public.payments AS payment
    JOIN public.bookings AS booking ON booking.id = payment.booking_id
    JOIN public.plans AS plan ON plan.id = booking.plan_id
    WHERE payment.id = NEW.payment_id;
  -- Two disputes of one consultant that end at once: the second one sees that the first has ended.
  PERFORM 1 FROM public.consultants WHERE id = payee FOR NO KEY UPDATE;
  IF NEW.ended_at IS NULL THEN
    INSERT INTO public.consultant_holds (consultant_id, kind, reason, placed_by)
      VALUES (payee, 'open_dispute', 'dispute ' || NEW.id || ' of payment ' || NEW.payment_id, placer)
      ON CONFLICT (consultant_id, kind) WHERE released_at IS NULL DO NOTHING;
  ELSE
    UPDATE public.consultant_holds SET released_at = now(), released_by = placer
      WHERE consultant_id = payee AND kind = 'open_dispute' AND released_at IS NULL AND placed_by = placer
        AND NOT EXISTS (
          SELECT FROM public.disputes AS other
          JOIN public.payments AS payment ON payment.id = other.payment_id
          JOIN public.bookings AS booking ON booking.id = payment.booking_id
          JOIN public.plans AS plan ON plan.id = booking.plan_id
          WHERE plan.consultant_id = payee AND other.id <> NEW.id AND other.holds_consultant AND other.ended_at IS NULL);
  END IF;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed > 0 THEN
    INSERT INTO public.audit_log (actor, category, action, subject_type, subject_id, reason, detail)
      VALUES (placer, 'hold', CASE WHEN NEW.ended_at IS NULL THEN 'placed' ELSE 'released' END, 'consultant', payee::text,
              'dispute ' || NEW.id || ' is ' || NEW.status, jsonb_build_object('kind', 'open_dispute', 'disputeId', NEW.id));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "disputes_place_hold" AFTER INSERT ON "disputes"
  FOR EACH ROW WHEN (NEW.holds_consultant AND NEW.ended_at IS NULL) EXECUTE FUNCTION "hold_for_dispute"();
CREATE TRIGGER "disputes_hold_changes" AFTER UPDATE OF "holds_consultant", "ended_at" ON "disputes"
  FOR EACH ROW WHEN (NEW.holds_consultant AND (
    NOT OLD.holds_consultant AND NEW.ended_at IS NULL OR OLD.holds_consultant AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL))
  EXECUTE FUNCTION "hold_for_dispute"();

-- A refund that was made outside has no request of ours, and the provider's id from the start.
ALTER TABLE "refund_legs" DROP CONSTRAINT "refund_legs_request",
  ADD CONSTRAINT "refund_legs_request" CHECK (
    ("idempotency_key" IS NULL) = ("request_body" IS NULL) AND ("idempotency_key" IS NULL) = ("request_hash" IS NULL)
    AND ("request_hash" IS NULL OR "request_hash" ~ '^[0-9a-f]{64}$')
    AND ("state" NOT IN ('PREPARED', 'UNKNOWN') OR "idempotency_key" IS NOT NULL)
    AND ("state" <> 'ACCEPTED' OR "provider_refund_id" IS NOT NULL)
  );

CREATE OR REPLACE FUNCTION "guard_refund_leg"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE paid payment_legs%ROWTYPE;
DECLARE others numeric;
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- One after the other, so that two refunds never share what is left of a leg.
    SELECT * INTO paid FROM payment_legs WHERE id = NEW.payment_leg_id FOR NO KEY UPDATE;
    SELECT COALESCE(sum(amount_paise), 0) INTO others
      FROM refund_legs WHERE payment_leg_id = NEW.payment_leg_id AND state <> 'FAILED';
    IF NEW.state <> 'DUE' OR paid.released_at IS NOT NULL OR others + NEW.amount_paise > paid.amount_paise
       OR NOT EXISTS (SELECT 1 FROM refunds WHERE id = NEW.refund_id AND payment_id = paid.payment_id) THEN
      RAISE EXCEPTION 'refund % takes back more by leg % than was paid by it', NEW.refund_id, NEW.payment_leg_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_legs_within_leg';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.refund_id, NEW.payment_leg_id, NEW.amount_paise)
     IS DISTINCT FROM (OLD.refund_id, OLD.payment_leg_id, OLD.amount_paise)
     OR (OLD.idempotency_key IS NOT NULL
       AND (NEW.idempotency_key, NEW.request_body, NEW.request_hash)
         IS DISTINCT FROM (OLD.idempotency_key, OLD.request_body, OLD.request_hash))
     OR (OLD.provider_refund_id IS NOT NULL AND NEW.provider_refund_id IS DISTINCT FROM OLD.provider_refund_id) THEN
    RAISE EXCEPTION 'the request of refund leg % can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_legs_immutable';
  END IF;
  IF OLD.state <> NEW.state AND NOT (OLD.state::text || '>' || NEW.state::text) = ANY (ARRAY[
    'DUE>PREPARED', 'DUE>PROCESSED', 'DUE>FAILED',
    'PREPARED>DUE',          -- a systemic refusal, or certainly never got: the same bytes are due again
    'PREPARED>UNKNOWN', 'PREPARED>ACCEPTED', 'PREPARED>PROCESSED', 'PREPARED>FAILED',
    'UNKNOWN>DUE', 'UNKNOWN>ACCEPTED', 'UNKNOWN>PROCESSED', 'UNKNOWN>FAILED',
    'ACCEPTED>PROCESSED', 'ACCEPTED>FAILED'
  ]) AND NOT (
    -- Made outside: the provider has it, and no request of ours left or will.
    OLD.state = 'DUE' AND NEW.state = 'ACCEPTED' AND NEW.idempotency_key IS NULL
  ) THEN
    RAISE EXCEPTION 'refund leg % cannot go from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_legs_state_graph';
  END IF;
  RETURN NEW;
END $$;

-- Late captures whose refund failed, perhaps because somebody had refunded a part of them outside.
CREATE INDEX "refunds_failed_late" ON "refunds" ("payment_id")
  WHERE "status" = 'FAILED' AND "key" LIKE 'late-capture:%';
