-- Why a request or booking ended, and who ended it: only one that lapsed may be booked by a payment that comes late.
ALTER TABLE "bookings" ADD COLUMN "ended_because" TEXT,
                       ADD COLUMN "ended_by" TEXT;

-- Of bookings that ended before, or by a run of an earlier version, both are null; `released_slots` tells then.
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_why_ended" CHECK (
  ("ended_because" IS NULL) = ("ended_by" IS NULL)
  AND ("ended_because" IS NULL OR ("status" = 'CANCELLED' AND btrim("ended_by") <> '' AND "ended_because" IN (
    'lapsed', 'paid-too-late', 'cancelled-by-buyer', 'declined', 'cancelled', 'refunded', 'plan-cancelled'
  )))
);

-- What is booked again has not ended. An earlier version that books it again knows nothing of these columns.
CREATE FUNCTION "keep_why_ended"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> 'CANCELLED' THEN
    NEW.ended_because := NULL;
    NEW.ended_by := NULL;
  ELSIF OLD.ended_because IS NOT NULL
    AND (NEW.ended_because, NEW.ended_by) IS DISTINCT FROM (OLD.ended_because, OLD.ended_by) THEN
    RAISE EXCEPTION 'why booking % ended can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_why_ended_stays';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "bookings_why_ended_stays" BEFORE UPDATE ON "bookings"
  FOR EACH ROW EXECUTE FUNCTION "keep_why_ended"();
