-- CreateEnum
CREATE TYPE "plan_kind" AS ENUM ('consultation', 'subscription', 'webinar', 'class');

-- CreateEnum
CREATE TYPE "booking_status" AS ENUM ('PENDING', 'APPROVED_PENDING_PAYMENT', 'CONFIRMED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "payment_status" AS ENUM ('PENDING', 'PAID', 'EXPIRED', 'ORPHANED', 'REFUNDED');

-- CreateEnum
CREATE TYPE "payment_leg_kind" AS ENUM ('card', 'wallet', 'referral_credit');

-- CreateEnum
CREATE TYPE "refund_status" AS ENUM ('PENDING', 'PROCESSED', 'FAILED');

-- CreateEnum
CREATE TYPE "refund_leg_state" AS ENUM ('DUE', 'PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED', 'FAILED');

-- CreateEnum
CREATE TYPE "mail_status" AS ENUM ('QUEUED', 'SENT', 'GAVE_UP', 'LAPSED');

-- CreateEnum
CREATE TYPE "waitlist_status" AS ENUM ('WAITING', 'NOTIFIED', 'BOOKED', 'EXPIRED', 'CANCELLED', 'SKIPPED');

-- AlterTable
ALTER TABLE "audit_log" ADD COLUMN     "organization_id" UUID;

-- AlterTable
ALTER TABLE "ledger_transactions" ADD COLUMN     "organization_id" UUID;

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "external_ref" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "plans" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "kind" "plan_kind" NOT NULL,
    "title" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "capacity" INTEGER,
    "booked_seats" INTEGER NOT NULL DEFAULT 0,
    "offered_seats" INTEGER NOT NULL DEFAULT 0,
    "starts_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "plans_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "appointments" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "plan_id" UUID NOT NULL,
    "consultant_id" UUID NOT NULL,
    "booking_id" UUID,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "appointments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "bookings" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "reference" TEXT NOT NULL,
    "plan_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "organization_id" UUID,
    "status" "booking_status" NOT NULL,
    "seats" INTEGER NOT NULL DEFAULT 1,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "bookings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "slots" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "appointment_id" UUID NOT NULL,
    "booking_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "consultant_id" UUID NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "tentative" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "slots_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "released_slots" (
    "id" BIGSERIAL NOT NULL,
    "appointment_id" UUID NOT NULL,
    "booking_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "released_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "released_by" TEXT NOT NULL,

    CONSTRAINT "released_slots_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payments" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "booking_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "organization_id" UUID,
    "currency" CHAR(3) NOT NULL DEFAULT 'INR',
    "amount_paise" BIGINT NOT NULL,
    "status" "payment_status" NOT NULL DEFAULT 'PENDING',
    "provider_order_id" TEXT,
    "provider_payment_id" TEXT,
    "captured_at" TIMESTAMPTZ(3),
    "expired_at" TIMESTAMPTZ(3),
    "asked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payment_legs" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "payment_id" UUID NOT NULL,
    "kind" "payment_leg_kind" NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "wallet_id" UUID,
    "referral_credit_id" UUID,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "payment_legs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "referral_credits" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "user_id" UUID NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "used_paise" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "referral_credits_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refunds" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "payment_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "reason" TEXT NOT NULL,
    "requested_by" TEXT NOT NULL,
    "status" "refund_status" NOT NULL DEFAULT 'PENDING',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refund_legs" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "refund_id" UUID NOT NULL,
    "payment_leg_id" UUID NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "state" "refund_leg_state" NOT NULL DEFAULT 'DUE',
    "idempotency_key" TEXT,
    "request_body" TEXT,
    "request_hash" TEXT,
    "provider_refund_id" TEXT,
    "claimed_by" UUID,
    "claim_fence" BIGINT,
    "claimed_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),
    "failure_code" TEXT,
    "failure_message" TEXT,

    CONSTRAINT "refund_legs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "earning_recoveries" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "earning_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "gross_paise" BIGINT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "recovered_gross_paise" BIGINT NOT NULL DEFAULT 0,
    "recovered_amount_paise" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "earning_recoveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox_mails" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "key" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "template" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "status" "mail_status" NOT NULL DEFAULT 'QUEUED',
    "tries" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deliver_until" TIMESTAMPTZ(3),
    "claimed_by" UUID,
    "claimed_until" TIMESTAMPTZ(3),
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "outbox_mails_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "waitlist_entries" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "plan_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "status" "waitlist_status" NOT NULL DEFAULT 'WAITING',
    "priority" INTEGER NOT NULL DEFAULT 0,
    "position" BIGSERIAL NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "notified_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "booking_id" UUID,

    CONSTRAINT "waitlist_entries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_external_ref_key" ON "users"("external_ref");

-- CreateIndex
CREATE INDEX "plans_consultant_id_idx" ON "plans"("consultant_id");

-- CreateIndex
CREATE INDEX "appointments_plan_id_starts_at_idx" ON "appointments"("plan_id", "starts_at");

-- CreateIndex
CREATE INDEX "appointments_booking_id_idx" ON "appointments"("booking_id");

-- CreateIndex
CREATE INDEX "appointments_consultant_id_idx" ON "appointments"("consultant_id");

-- CreateIndex
CREATE UNIQUE INDEX "bookings_reference_key" ON "bookings"("reference");

-- CreateIndex
CREATE INDEX "bookings_plan_id_status_requested_at_idx" ON "bookings"("plan_id", "status", "requested_at");

-- CreateIndex
CREATE INDEX "bookings_user_id_idx" ON "bookings"("user_id");

-- CreateIndex
CREATE INDEX "bookings_organization_id_idx" ON "bookings"("organization_id");

-- CreateIndex
CREATE INDEX "slots_appointment_id_idx" ON "slots"("appointment_id");

-- CreateIndex
CREATE INDEX "slots_booking_id_idx" ON "slots"("booking_id");

-- CreateIndex
CREATE INDEX "slots_user_id_idx" ON "slots"("user_id");

-- CreateIndex
CREATE INDEX "released_slots_appointment_id_idx" ON "released_slots"("appointment_id");

-- CreateIndex
CREATE INDEX "released_slots_booking_id_idx" ON "released_slots"("booking_id");

-- CreateIndex
CREATE INDEX "released_slots_user_id_idx" ON "released_slots"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "payments_provider_order_id_key" ON "payments"("provider_order_id");

-- CreateIndex
CREATE UNIQUE INDEX "payments_provider_payment_id_key" ON "payments"("provider_payment_id");

-- CreateIndex
CREATE INDEX "payments_booking_id_idx" ON "payments"("booking_id");

-- CreateIndex
CREATE INDEX "payments_user_id_idx" ON "payments"("user_id");

-- CreateIndex
CREATE INDEX "payments_organization_id_idx" ON "payments"("organization_id");

-- CreateIndex
CREATE INDEX "payment_legs_payment_id_idx" ON "payment_legs"("payment_id");

-- CreateIndex
CREATE INDEX "payment_legs_wallet_id_idx" ON "payment_legs"("wallet_id");

-- CreateIndex
CREATE INDEX "payment_legs_referral_credit_id_idx" ON "payment_legs"("referral_credit_id");

-- CreateIndex
CREATE INDEX "referral_credits_user_id_idx" ON "referral_credits"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "refunds_key_key" ON "refunds"("key");

-- CreateIndex
CREATE INDEX "refunds_payment_id_idx" ON "refunds"("payment_id");

-- CreateIndex
CREATE UNIQUE INDEX "refund_legs_idempotency_key_key" ON "refund_legs"("idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "refund_legs_provider_refund_id_key" ON "refund_legs"("provider_refund_id");

-- CreateIndex
CREATE INDEX "refund_legs_payment_leg_id_idx" ON "refund_legs"("payment_leg_id");

-- CreateIndex
CREATE UNIQUE INDEX "refund_legs_refund_id_payment_leg_id_key" ON "refund_legs"("refund_id", "payment_leg_id");

-- CreateIndex
CREATE UNIQUE INDEX "earning_recoveries_key_key" ON "earning_recoveries"("key");

-- CreateIndex
CREATE INDEX "earning_recoveries_consultant_id_idx" ON "earning_recoveries"("consultant_id");

-- CreateIndex
CREATE INDEX "earning_recoveries_earning_id_idx" ON "earning_recoveries"("earning_id");

-- CreateIndex
CREATE UNIQUE INDEX "outbox_mails_key_key" ON "outbox_mails"("key");

-- CreateIndex
CREATE INDEX "outbox_mails_user_id_idx" ON "outbox_mails"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "waitlist_entries_position_key" ON "waitlist_entries"("position");

-- CreateIndex
CREATE UNIQUE INDEX "waitlist_entries_booking_id_key" ON "waitlist_entries"("booking_id");

-- CreateIndex
CREATE INDEX "waitlist_entries_status_expires_at_idx" ON "waitlist_entries"("status", "expires_at");

-- CreateIndex
CREATE INDEX "waitlist_entries_user_id_idx" ON "waitlist_entries"("user_id");

-- CreateIndex
CREATE INDEX "audit_log_organization_id_idx" ON "audit_log"("organization_id");

-- CreateIndex
CREATE INDEX "ledger_transactions_organization_id_idx" ON "ledger_transactions"("organization_id");

-- AddForeignKey
ALTER TABLE "plans" ADD CONSTRAINT "plans_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_booking_id_fkey" FOREIGN KEY ("booking_id") REFERENCES "bookings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "slots" ADD CONSTRAINT "slots_appointment_id_fkey" FOREIGN KEY ("appointment_id") REFERENCES "appointments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "slots" ADD CONSTRAINT "slots_booking_id_fkey" FOREIGN KEY ("booking_id") REFERENCES "bookings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "slots" ADD CONSTRAINT "slots_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "slots" ADD CONSTRAINT "slots_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "released_slots" ADD CONSTRAINT "released_slots_appointment_id_fkey" FOREIGN KEY ("appointment_id") REFERENCES "appointments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "released_slots" ADD CONSTRAINT "released_slots_booking_id_fkey" FOREIGN KEY ("booking_id") REFERENCES "bookings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "released_slots" ADD CONSTRAINT "released_slots_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_booking_id_fkey" FOREIGN KEY ("booking_id") REFERENCES "bookings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_legs" ADD CONSTRAINT "payment_legs_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_legs" ADD CONSTRAINT "payment_legs_wallet_id_fkey" FOREIGN KEY ("wallet_id") REFERENCES "wallet_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_legs" ADD CONSTRAINT "payment_legs_referral_credit_id_fkey" FOREIGN KEY ("referral_credit_id") REFERENCES "referral_credits"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "referral_credits" ADD CONSTRAINT "referral_credits_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refund_legs" ADD CONSTRAINT "refund_legs_refund_id_fkey" FOREIGN KEY ("refund_id") REFERENCES "refunds"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refund_legs" ADD CONSTRAINT "refund_legs_payment_leg_id_fkey" FOREIGN KEY ("payment_leg_id") REFERENCES "payment_legs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "earning_recoveries" ADD CONSTRAINT "earning_recoveries_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "earning_recoveries" ADD CONSTRAINT "earning_recoveries_earning_id_fkey" FOREIGN KEY ("earning_id") REFERENCES "earnings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_transactions" ADD CONSTRAINT "ledger_transactions_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "outbox_mails" ADD CONSTRAINT "outbox_mails_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "waitlist_entries" ADD CONSTRAINT "waitlist_entries_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "waitlist_entries" ADD CONSTRAINT "waitlist_entries_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "waitlist_entries" ADD CONSTRAINT "waitlist_entries_booking_id_fkey" FOREIGN KEY ("booking_id") REFERENCES "bookings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the schema language cannot say -------------------------------------------------------------

-- For the exclusion constraint of slots. A trusted extension of PostgreSQL's own: the owner of the
-- database may create it.
CREATE EXTENSION IF NOT EXISTS "btree_gist";

-- Users and plans ---------------------------------------------------------------------------------

ALTER TABLE "users"
  ADD CONSTRAINT "users_email" CHECK ("email" ~ '^[^\s@]+@[^\s@]+$');

ALTER TABLE "plans"
  ADD CONSTRAINT "plans_capacity" CHECK (
    ("kind" IN ('webinar', 'class')) = ("capacity" IS NOT NULL) AND ("capacity" IS NULL OR "capacity" >= 0)
  ),
  -- The rule that no race may break: never more seats booked and offered than there are.
  ADD CONSTRAINT "plans_seats" CHECK (
    "booked_seats" >= 0 AND "offered_seats" >= 0
    AND ("capacity" IS NULL OR "booked_seats" + "offered_seats" <= "capacity")
  ),
  ADD CONSTRAINT "plans_url" CHECK ("url" ~ '^https?://');

-- The job looks for plans that have a seat to offer, among very many that have none.
CREATE INDEX "plans_free_seats" ON "plans" ("id")
  WHERE "capacity" IS NOT NULL AND "booked_seats" + "offered_seats" < "capacity";

-- Bookings ----------------------------------------------------------------------------------------

ALTER TABLE "bookings" ADD CONSTRAINT "bookings_seats" CHECK ("seats" >= 1);

CREATE FUNCTION "guard_booking"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.plan_id, NEW.user_id, NEW.seats, NEW.reference)
     IS DISTINCT FROM (OLD.plan_id, OLD.user_id, OLD.seats, OLD.reference) THEN
    RAISE EXCEPTION 'plan, user, seats and reference of booking % can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_immutable';
  END IF;
  IF OLD.status <> NEW.status AND NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
    'PENDING>APPROVED_PENDING_PAYMENT', 'PENDING>CONFIRMED', 'PENDING>CANCELLED',
    'APPROVED_PENDING_PAYMENT>CONFIRMED', 'APPROVED_PENDING_PAYMENT>CANCELLED',
    'CONFIRMED>CANCELLED',
    'CANCELLED>CONFIRMED'    -- its payment came late, and its slots were still free
  ]) THEN
    RAISE EXCEPTION 'booking % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_status_graph';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "bookings_guard" BEFORE UPDATE ON "bookings"
  FOR EACH ROW EXECUTE FUNCTION "guard_booking"();

CREATE FUNCTION "count_booked_seats"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE delta integer := 0;
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.status <> 'CANCELLED' THEN delta := delta - OLD.seats; END IF;
  IF TG_OP <> 'DELETE' AND NEW.status <> 'CANCELLED' THEN delta := delta + NEW.seats; END IF;
  IF delta <> 0 THEN
    UPDATE plans SET booked_seats = booked_seats + delta
      WHERE id = COALESCE(NEW.plan_id, OLD.plan_id) AND capacity IS NOT NULL;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "bookings_count_seats" AFTER INSERT OR UPDATE OF "status" OR DELETE ON "bookings"
  FOR EACH ROW EXECUTE FUNCTION "count_booked_seats"();

-- Appointments and slots --------------------------------------------------------------------------

ALTER TABLE "appointments" ADD CONSTRAINT "appointments_times" CHECK ("ends_at" > "starts_at");

-- Slots of one appointment are at the same time by nature; confirmed slots of two appointments of one
-- consultant never are.
ALTER TABLE "slots" ADD CONSTRAINT "slots_no_overlap" EXCLUDE USING gist (
  "consultant_id" WITH =, "appointment_id" WITH <>, tstzrange("starts_at", "ends_at") WITH &&
) WHERE (NOT "tentative");

CREATE FUNCTION "fill_slot"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE meeting appointments%ROWTYPE;
BEGIN
  SELECT * INTO meeting FROM appointments WHERE id = NEW.appointment_id;
  IF NOT EXISTS (
    SELECT 1 FROM bookings
    WHERE id = NEW.booking_id AND user_id = NEW.user_id AND plan_id = meeting.plan_id
      AND (meeting.booking_id IS NULL OR meeting.booking_id = NEW.booking_id)
  ) THEN
    RAISE EXCEPTION 'slot % is not of its booking''s user, plan and appointment', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'slots_of_booking';
  END IF;
  NEW.consultant_id := meeting.consultant_id;
  NEW.starts_at := meeting.starts_at;
  NEW.ends_at := meeting.ends_at;
  IF TG_OP = 'UPDATE' AND NEW.updated_at = OLD.updated_at THEN NEW.updated_at := now(); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "slots_fill" BEFORE INSERT OR UPDATE ON "slots"
  FOR EACH ROW EXECUTE FUNCTION "fill_slot"();

CREATE FUNCTION "move_slots"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE slots SET starts_at = NEW.starts_at WHERE appointment_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER "appointments_move_slots" AFTER UPDATE OF "starts_at", "ends_at", "consultant_id" ON "appointments"
  FOR EACH ROW EXECUTE FUNCTION "move_slots"();

-- A slot that is paid for stays, whoever wants it gone, until its booking is cancelled.
CREATE FUNCTION "guard_slot_delete"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM bookings AS booking
    WHERE booking.id = OLD.booking_id AND booking.status <> 'CANCELLED'
      AND (booking.status = 'CONFIRMED' OR EXISTS (
        SELECT 1 FROM payments WHERE booking_id = booking.id AND status = 'PAID'))
  ) THEN
    RAISE EXCEPTION 'slot % is paid for', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'slots_paid_stay';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER "slots_paid_stay" BEFORE DELETE ON "slots"
  FOR EACH ROW EXECUTE FUNCTION "guard_slot_delete"();

CREATE INDEX "slots_tentative_by_age" ON "slots" ("updated_at", "id") WHERE "tentative";

CREATE TRIGGER "released_slots_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "released_slots"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
ALTER TABLE "released_slots" ADD CONSTRAINT "released_slots_said" CHECK (btrim("released_by") <> '');

-- Payments ----------------------------------------------------------------------------------------

ALTER TABLE "payments"
  ADD CONSTRAINT "payments_amount" CHECK ("amount_paise" > 0),
  ADD CONSTRAINT "payments_captured" CHECK (
    "status" NOT IN ('PAID', 'ORPHANED', 'REFUNDED') OR "captured_at" IS NOT NULL
  ),
  ADD CONSTRAINT "payments_expired" CHECK ("status" <> 'EXPIRED' OR "expired_at" IS NOT NULL);

-- One booking, at most one checkout that is open or paid.
CREATE UNIQUE INDEX "payments_one_open" ON "payments" ("booking_id") WHERE "status" IN ('PENDING', 'PAID');
CREATE INDEX "payments_orphaned" ON "payments" ("captured_at", "id") WHERE "status" = 'ORPHANED';
-- Orders of holds that have ended, which may still be paid.
CREATE INDEX "payments_expired_orders" ON "payments" ("expired_at", "id")
  WHERE "status" = 'EXPIRED' AND "provider_order_id" IS NOT NULL;

CREATE FUNCTION "guard_payment"() RETURNS trigger LANGUAGE plpgsql AS $$
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
    'ORPHANED>REFUNDED', 'PAID>REFUNDED'
  ]) THEN
    RAISE EXCEPTION 'payment % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_status_graph';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "payments_guard" BEFORE UPDATE ON "payments"
  FOR EACH ROW EXECUTE FUNCTION "guard_payment"();

ALTER TABLE "payment_legs"
  ADD CONSTRAINT "payment_legs_amount" CHECK ("amount_paise" > 0),
  ADD CONSTRAINT "payment_legs_means" CHECK (
    ("kind" = 'wallet') = ("wallet_id" IS NOT NULL)
    AND ("kind" = 'referral_credit') = ("referral_credit_id" IS NOT NULL)
    AND ("kind" <> 'card' OR "released_at" IS NULL)
  );
CREATE UNIQUE INDEX "payment_legs_one_card" ON "payment_legs" ("payment_id") WHERE "kind" = 'card';

CREATE FUNCTION "guard_payment_leg"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.released_at IS NOT NULL
     OR (to_jsonb(NEW) - 'released_at') IS DISTINCT FROM (to_jsonb(OLD) - 'released_at') THEN
    RAISE EXCEPTION 'leg % of a payment can only be released, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_legs_released_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "payment_legs_guard" BEFORE UPDATE ON "payment_legs"
  FOR EACH ROW EXECUTE FUNCTION "guard_payment_leg"();
CREATE TRIGGER "payment_legs_no_delete" BEFORE DELETE OR TRUNCATE ON "payment_legs"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

CREATE FUNCTION "guard_payment_legs_sum"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE checked uuid;
BEGIN
  checked := CASE TG_TABLE_NAME WHEN 'payment_legs' THEN (to_jsonb(NEW)->>'payment_id')::uuid ELSE (to_jsonb(NEW)->>'id')::uuid END;
  IF (SELECT amount_paise FROM payments WHERE id = checked)
     <> (SELECT COALESCE(sum(amount_paise), 0) FROM payment_legs WHERE payment_id = checked) THEN
    RAISE EXCEPTION 'the legs of payment % do not make up its amount', checked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_legs_sum';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER "payments_legs_sum" AFTER INSERT ON "payments"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_payment_legs_sum"();
CREATE CONSTRAINT TRIGGER "payment_legs_sum" AFTER INSERT ON "payment_legs"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_payment_legs_sum"();

ALTER TABLE "referral_credits"
  ADD CONSTRAINT "referral_credits_amounts" CHECK (
    "amount_paise" > 0 AND "used_paise" >= 0 AND "used_paise" <= "amount_paise"
  );

-- Refunds -----------------------------------------------------------------------------------------

ALTER TABLE "refunds"
  ADD CONSTRAINT "refunds_said" CHECK (
    "amount_paise" > 0 AND btrim("key") <> '' AND btrim("reason") <> '' AND btrim("requested_by") <> ''
  ),
  ADD CONSTRAINT "refunds_settled" CHECK (("status" = 'PENDING') = ("settled_at" IS NULL));

CREATE FUNCTION "guard_refund"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (
      SELECT 1 FROM payments WHERE id = NEW.payment_id AND status IN ('PAID', 'ORPHANED', 'REFUNDED') FOR SHARE
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
CREATE TRIGGER "refunds_guard" BEFORE INSERT OR UPDATE ON "refunds"
  FOR EACH ROW EXECUTE FUNCTION "guard_refund"();
CREATE TRIGGER "refunds_no_delete" BEFORE DELETE OR TRUNCATE ON "refunds"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

ALTER TABLE "refund_legs"
  ADD CONSTRAINT "refund_legs_amount" CHECK ("amount_paise" > 0),
  ADD CONSTRAINT "refund_legs_request" CHECK (
    ("idempotency_key" IS NULL) = ("request_body" IS NULL) AND ("idempotency_key" IS NULL) = ("request_hash" IS NULL)
    AND ("request_hash" IS NULL OR "request_hash" ~ '^[0-9a-f]{64}$')
    AND ("state" NOT IN ('PREPARED', 'UNKNOWN', 'ACCEPTED') OR "idempotency_key" IS NOT NULL)
    AND ("state" <> 'ACCEPTED' OR "provider_refund_id" IS NOT NULL)
  ),
  ADD CONSTRAINT "refund_legs_settled" CHECK (("state" IN ('PROCESSED', 'FAILED')) = ("settled_at" IS NOT NULL));

CREATE INDEX "refund_legs_open" ON "refund_legs" ("id")
  WHERE "state" IN ('DUE', 'PREPARED', 'UNKNOWN', 'ACCEPTED');

CREATE FUNCTION "guard_refund_leg"() RETURNS trigger LANGUAGE plpgsql AS $$
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
  ]) THEN
    RAISE EXCEPTION 'refund leg % cannot go from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_legs_state_graph';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "refund_legs_guard" BEFORE INSERT OR UPDATE ON "refund_legs"
  FOR EACH ROW EXECUTE FUNCTION "guard_refund_leg"();
CREATE TRIGGER "refund_legs_no_delete" BEFORE DELETE OR TRUNCATE ON "refund_legs"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

CREATE FUNCTION "guard_refund_legs_sum"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE checked uuid;
BEGIN
  checked := CASE TG_TABLE_NAME WHEN 'refund_legs' THEN (to_jsonb(NEW)->>'refund_id')::uuid ELSE (to_jsonb(NEW)->>'id')::uuid END;
  IF (SELECT amount_paise FROM refunds WHERE id = checked)
     <> (SELECT COALESCE(sum(amount_paise), 0) FROM refund_legs WHERE refund_id = checked) THEN
    RAISE EXCEPTION 'the legs of refund % do not make up its amount', checked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_legs_sum';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER "refunds_legs_sum" AFTER INSERT ON "refunds"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_refund_legs_sum"();
CREATE CONSTRAINT TRIGGER "refund_legs_sum" AFTER INSERT ON "refund_legs"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_refund_legs_sum"();

ALTER TABLE "earning_recoveries"
  ADD CONSTRAINT "earning_recoveries_amounts" CHECK (
    "amount_paise" > 0 AND "gross_paise" >= "amount_paise"
    AND "recovered_amount_paise" BETWEEN 0 AND "amount_paise"
    AND "recovered_gross_paise" BETWEEN 0 AND "gross_paise"
    AND btrim("key") <> ''
  );
CREATE INDEX "earning_recoveries_open" ON "earning_recoveries" ("consultant_id", "created_at")
  WHERE "recovered_amount_paise" < "amount_paise";

CREATE FUNCTION "guard_recovery"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(NEW) - 'recovered_amount_paise' - 'recovered_gross_paise')
     IS DISTINCT FROM (to_jsonb(OLD) - 'recovered_amount_paise' - 'recovered_gross_paise')
     OR NEW.recovered_amount_paise < OLD.recovered_amount_paise
     OR NEW.recovered_gross_paise < OLD.recovered_gross_paise THEN
    RAISE EXCEPTION 'recovery % can only go on', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'earning_recoveries_grow';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "earning_recoveries_guard" BEFORE UPDATE ON "earning_recoveries"
  FOR EACH ROW EXECUTE FUNCTION "guard_recovery"();
CREATE TRIGGER "earning_recoveries_no_delete" BEFORE DELETE OR TRUNCATE ON "earning_recoveries"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Waitlist ----------------------------------------------------------------------------------------

ALTER TABLE "waitlist_entries"
  ADD CONSTRAINT "waitlist_entries_times" CHECK (
    ("status" NOT IN ('NOTIFIED', 'EXPIRED') OR ("notified_at" IS NOT NULL AND "expires_at" IS NOT NULL))
    AND ("status" IN ('WAITING', 'NOTIFIED')) = ("ended_at" IS NULL)
    AND ("booking_id" IS NULL OR "status" = 'BOOKED')
  );

-- Leaving and joining again is a new row; two at once are refused.
CREATE UNIQUE INDEX "waitlist_entries_one_live" ON "waitlist_entries" ("plan_id", "user_id")
  WHERE "status" IN ('WAITING', 'NOTIFIED');
CREATE INDEX "waitlist_entries_queue" ON "waitlist_entries" ("plan_id", "priority" DESC, "position")
  WHERE "status" = 'WAITING';

CREATE FUNCTION "guard_waitlist_entry"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT 1 FROM plans WHERE id = NEW.plan_id AND capacity IS NOT NULL) THEN
      RAISE EXCEPTION 'plan % has no seats to wait for', NEW.plan_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_of_group';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.plan_id, NEW.user_id, NEW.position) IS DISTINCT FROM (OLD.plan_id, OLD.user_id, OLD.position) THEN
    RAISE EXCEPTION 'plan, user and position of waitlist entry % can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_immutable';
  END IF;
  IF OLD.status <> NEW.status AND NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
    'WAITING>NOTIFIED', 'WAITING>SKIPPED', 'WAITING>CANCELLED', 'WAITING>BOOKED',
    'NOTIFIED>BOOKED', 'NOTIFIED>EXPIRED', 'NOTIFIED>CANCELLED'
  ]) THEN
    RAISE EXCEPTION 'waitlist entry % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_status_graph';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "waitlist_entries_guard" BEFORE INSERT OR UPDATE ON "waitlist_entries"
  FOR EACH ROW EXECUTE FUNCTION "guard_waitlist_entry"();

CREATE FUNCTION "count_offered_seats"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE delta integer := 0;
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.status = 'NOTIFIED' THEN delta := delta - 1; END IF;
  IF TG_OP <> 'DELETE' AND NEW.status = 'NOTIFIED' THEN delta := delta + 1; END IF;
  IF delta <> 0 THEN
    UPDATE plans SET offered_seats = offered_seats + delta WHERE id = COALESCE(NEW.plan_id, OLD.plan_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "waitlist_entries_count_seats" AFTER INSERT OR UPDATE OF "status" OR DELETE ON "waitlist_entries"
  FOR EACH ROW EXECUTE FUNCTION "count_offered_seats"();

-- Outbox ------------------------------------------------------------------------------------------

ALTER TABLE "outbox_mails"
  ADD CONSTRAINT "outbox_mails_said" CHECK (
    btrim("key") <> '' AND btrim("template") <> '' AND jsonb_typeof("data") = 'object' AND "tries" >= 0
  ),
  ADD CONSTRAINT "outbox_mails_settled" CHECK (("status" = 'QUEUED') = ("settled_at" IS NULL)),
  ADD CONSTRAINT "outbox_mails_claim" CHECK (("claimed_by" IS NULL) = ("claimed_until" IS NULL));

CREATE INDEX "outbox_mails_due" ON "outbox_mails" ("due_at", "id") WHERE "status" = 'QUEUED';

-- What was sent is never sent again, and what is to be said is said as it was written. Only a person
-- queues again what was given up.
CREATE FUNCTION "guard_outbox_mail"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.status = 'QUEUED' OR OLD.status = 'GAVE_UP' AND NEW.status = 'QUEUED')
     OR (NEW.key, NEW.user_id, NEW.template, NEW.data, NEW.deliver_until)
       IS DISTINCT FROM (OLD.key, OLD.user_id, OLD.template, OLD.data, OLD.deliver_until) THEN
    RAISE EXCEPTION 'mail % is settled, or its text would change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'outbox_mails_settled_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "outbox_mails_guard" BEFORE UPDATE ON "outbox_mails"
  FOR EACH ROW EXECUTE FUNCTION "guard_outbox_mail"();
