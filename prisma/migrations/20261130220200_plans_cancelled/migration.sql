-- A webinar or class that does not take place: when a person said so, who, and why.
ALTER TABLE "plans" ADD COLUMN "cancelled_at" TIMESTAMPTZ(3),
                    ADD COLUMN "cancelled_by" TEXT,
                    ADD COLUMN "cancel_reason" TEXT;

ALTER TABLE "plans" ADD CONSTRAINT "plans_cancelled" CHECK (
  ("cancelled_at" IS NULL) = ("cancelled_by" IS NULL) AND ("cancelled_at" IS NULL) = ("cancel_reason" IS NULL)
  AND ("cancelled_at" IS NULL OR "capacity" IS NOT NULL)
  AND btrim(COALESCE("cancelled_by", '-')) <> '' AND btrim(COALESCE("cancel_reason", '-')) <> ''
);

-- Each booking and offer of a webinar or class changes the row of its plan, so that this sees each, whatever it raced with.
CREATE FUNCTION "guard_cancelled_plan"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.cancelled_at IS NULL THEN RETURN NEW; END IF;
  IF (NEW.cancelled_at, NEW.cancelled_by, NEW.cancel_reason)
     IS DISTINCT FROM (OLD.cancelled_at, OLD.cancelled_by, OLD.cancel_reason) THEN
    RAISE EXCEPTION 'plan % is cancelled, and stays so', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'plans_cancelled_stays';
  END IF;
  IF NEW.booked_seats > OLD.booked_seats OR NEW.offered_seats > OLD.offered_seats THEN
    RAISE EXCEPTION 'plan % is cancelled: no seat of it is booked or offered', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'plans_cancelled_no_seats';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "plans_cancelled_no_seats" BEFORE UPDATE ON "plans"
  FOR EACH ROW EXECUTE FUNCTION "guard_cancelled_plan"();

-- Who waits is counted nowhere. The lock makes one who joins at this moment wait for a cancellation that is under way.
CREATE FUNCTION "guard_not_of_cancelled_plan"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE cancelled timestamptz;
BEGIN
  IF NEW.status NOT IN ('WAITING', 'NOTIFIED') THEN RETURN NEW; END IF;
  SELECT cancelled_at INTO cancelled FROM plans WHERE id = NEW.plan_id FOR SHARE;
  IF cancelled IS NOT NULL THEN
    RAISE EXCEPTION 'plan % is cancelled: nobody waits for a seat of it', NEW.plan_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_not_of_cancelled';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "waitlist_entries_not_of_cancelled" BEFORE INSERT ON "waitlist_entries"
  FOR EACH ROW EXECUTE FUNCTION "guard_not_of_cancelled_plan"();
