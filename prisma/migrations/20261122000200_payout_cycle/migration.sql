-- CreateEnum
CREATE TYPE "hold_kind" AS ENUM ('open_dispute', 'unverified_account', 'suspended', 'manual');

-- AlterTable
ALTER TABLE "earnings" ADD COLUMN     "hold_until" DATE;

-- CreateTable
CREATE TABLE "consultant_holds" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consultant_id" UUID NOT NULL,
    "kind" "hold_kind" NOT NULL,
    "reason" TEXT NOT NULL,
    "placed_by" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "released_by" TEXT,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "consultant_holds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "earning_refunds" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "earning_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "gross_paise" BIGINT NOT NULL,
    "amount_paise" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "earning_refunds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "category" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject_type" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "reason" TEXT,
    "detail" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "consultant_holds_consultant_id_idx" ON "consultant_holds"("consultant_id");

-- CreateIndex
CREATE UNIQUE INDEX "earning_refunds_key_key" ON "earning_refunds"("key");

-- CreateIndex
CREATE INDEX "earning_refunds_earning_id_idx" ON "earning_refunds"("earning_id");

-- CreateIndex
CREATE INDEX "audit_log_subject_type_subject_id_id_idx" ON "audit_log"("subject_type", "subject_id", "id");

-- CreateIndex
CREATE INDEX "audit_log_at_idx" ON "audit_log"("at");

-- AddForeignKey
ALTER TABLE "consultant_holds" ADD CONSTRAINT "consultant_holds_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "earning_refunds" ADD CONSTRAINT "earning_refunds_earning_id_fkey" FOREIGN KEY ("earning_id") REFERENCES "earnings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the schema language cannot say -------------------------------------------------------------

-- The batch walks through consultants that have something READY, and never through what is paid.
CREATE INDEX "earnings_ready" ON "earnings" ("consultant_id") WHERE "status" = 'READY';

-- Holds ------------------------------------------------------------------------------------------

ALTER TABLE "consultant_holds"
  ADD CONSTRAINT "consultant_holds_said" CHECK (btrim("reason") <> '' AND btrim("placed_by") <> ''),
  ADD CONSTRAINT "consultant_holds_released" CHECK (
    ("released_at" IS NULL) = ("released_by" IS NULL)
    AND ("released_by" IS NULL OR btrim("released_by") <> '')
  );

CREATE UNIQUE INDEX "consultant_holds_one_open" ON "consultant_holds" ("consultant_id", "kind")
  WHERE "released_at" IS NULL;

CREATE FUNCTION "guard_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- The batch locks the consultant in the same way before it looks at holds: a hold is either seen by
    -- it or placed after its payout. Foreign keys don't wait for this lock.
    PERFORM 1 FROM consultants WHERE id = NEW.consultant_id FOR NO KEY UPDATE;
    RETURN NEW;
  END IF;
  IF OLD.released_at IS NOT NULL
     OR (NEW.id, NEW.consultant_id, NEW.kind, NEW.reason, NEW.placed_by, NEW.placed_at)
        IS DISTINCT FROM
        (OLD.id, OLD.consultant_id, OLD.kind, OLD.reason, OLD.placed_by, OLD.placed_at) THEN
    RAISE EXCEPTION 'hold % can only be released, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'consultant_holds_released_once';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "consultant_holds_guard" BEFORE INSERT OR UPDATE ON "consultant_holds"
  FOR EACH ROW EXECUTE FUNCTION "guard_hold"();
CREATE TRIGGER "consultant_holds_no_delete" BEFORE DELETE OR TRUNCATE ON "consultant_holds"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Refunds ----------------------------------------------------------------------------------------

ALTER TABLE "earning_refunds"
  ADD CONSTRAINT "earning_refunds_amounts" CHECK (
    "amount_paise" > 0 AND "gross_paise" >= "amount_paise"
  ),
  ADD CONSTRAINT "earning_refunds_named" CHECK (btrim("key") <> '');

CREATE FUNCTION "guard_earning_refund"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE earning earnings%ROWTYPE;
DECLARE gross_left numeric;
DECLARE amount_left numeric;
BEGIN
  -- One after the other, and never while the earning goes into a payout.
  SELECT * INTO earning FROM earnings WHERE id = NEW.earning_id FOR NO KEY UPDATE;
  IF earning.status <> 'READY' THEN
    RAISE EXCEPTION 'earning % is % and no longer refunded from here', NEW.earning_id, earning.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'earning_refunds_before_payout';
  END IF;
  SELECT earning.gross_paise - NEW.gross_paise - COALESCE(sum(gross_paise), 0),
         earning.amount_paise - NEW.amount_paise - COALESCE(sum(amount_paise), 0)
    INTO gross_left, amount_left
    FROM earning_refunds WHERE earning_id = NEW.earning_id;
  -- What is left is an earning still: never negative, and not above what the buyer has left to pay.
  IF amount_left < 0 OR gross_left < amount_left THEN
    RAISE EXCEPTION 'refunds of earning % exceed it', NEW.earning_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'earning_refunds_within_earning';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "earning_refunds_guard" BEFORE INSERT ON "earning_refunds"
  FOR EACH ROW EXECUTE FUNCTION "guard_earning_refund"();
CREATE TRIGGER "earning_refunds_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "earning_refunds"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- What is left of each earning --------------------------------------------------------------------

-- On the database's clock: all machines agree on it.
CREATE FUNCTION "india_today"() RETURNS date LANGUAGE sql STABLE
  RETURN (now() AT TIME ZONE 'Asia/Kolkata')::date;

-- Net of refunds, and whether its hold date has come. What a payout pays for an earning is this.
CREATE VIEW "earnings_net" AS
SELECT earning.id AS earning_id, earning.consultant_id, earning.currency, earning.status,
       earning.gross_paise - COALESCE(refunded.gross_paise, 0) AS gross_paise,
       earning.amount_paise - COALESCE(refunded.amount_paise, 0) AS amount_paise,
       earning.hold_until IS NULL OR earning.hold_until <= india_today() AS due
FROM earnings AS earning
CROSS JOIN LATERAL (
  SELECT sum(refund.gross_paise)::bigint AS gross_paise, sum(refund.amount_paise)::bigint AS amount_paise
  FROM earning_refunds AS refund WHERE refund.earning_id = earning.id
) AS refunded;

-- Audit ------------------------------------------------------------------------------------------

ALTER TABLE "audit_log"
  ADD CONSTRAINT "audit_log_said" CHECK (
    btrim("actor") <> '' AND btrim("category") <> '' AND btrim("action") <> ''
    AND btrim("subject_type") <> '' AND btrim("subject_id") <> ''
    AND jsonb_typeof("detail") = 'object'
  );

CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
