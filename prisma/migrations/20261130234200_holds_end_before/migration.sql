-- How long an unpaid booking of this plan is held; null: as long as the setting of the job says.
ALTER TABLE "plans" ADD COLUMN "hold_minutes" INTEGER;
ALTER TABLE "plans" ADD CONSTRAINT "plans_hold" CHECK ("hold_minutes" BETWEEN 15 AND 43200);

-- The time of a tentative slot runs from its last change. A session of a webinar or class that is moved is not one: its
-- consultant moves it, for everybody, and no checkout has gone on by that. A meeting of the booking itself is one: its
-- buyer has another time to agree to.
CREATE OR REPLACE FUNCTION "fill_slot"() RETURNS trigger LANGUAGE plpgsql AS $$
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
  IF TG_OP = 'UPDATE' AND NEW.updated_at = OLD.updated_at AND NOT (
    meeting.booking_id IS NULL
    AND (NEW.appointment_id, NEW.booking_id, NEW.user_id, NEW.tentative)
      = (OLD.appointment_id, OLD.booking_id, OLD.user_id, OLD.tentative)
    AND (NEW.consultant_id, NEW.starts_at, NEW.ends_at) <> (OLD.consultant_id, OLD.starts_at, OLD.ends_at)
  ) THEN
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$;
