-- An offer of a seat counts from when its mail was sent. Until then it stands until the plan begins, and nobody else's
-- turn comes. Jobs of before this migration write no "offer_ms": their offers count from "notified_at", as before.
ALTER TABLE "waitlist_entries" ADD COLUMN "offer_ms" BIGINT, ADD COLUMN "told_at" TIMESTAMPTZ(3);

ALTER TABLE "waitlist_entries" DROP CONSTRAINT "waitlist_entries_times";

CREATE OR REPLACE FUNCTION "guard_waitlist_entry"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT 1 FROM plans WHERE id = NEW.plan_id AND capacity IS NOT NULL) THEN
      RAISE EXCEPTION 'plan % has no seats to wait for', NEW.plan_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_of_group';
    END IF;
  ELSE
    IF (NEW.plan_id, NEW.user_id, NEW.position) IS DISTINCT FROM (OLD.plan_id, OLD.user_id, OLD.position) THEN
      RAISE EXCEPTION 'plan, user and position of waitlist entry % can not change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_immutable';
    END IF;
    IF OLD.status <> NEW.status AND NOT (OLD.status::text || '>' || NEW.status::text) = ANY (ARRAY[
      'WAITING>NOTIFIED', 'WAITING>SKIPPED', 'WAITING>CANCELLED', 'WAITING>BOOKED',
      'NOTIFIED>BOOKED', 'NOTIFIED>EXPIRED', 'NOTIFIED>CANCELLED',
      'NOTIFIED>SKIPPED'       -- no mail of the offer reached the person
    ]) THEN
      RAISE EXCEPTION 'waitlist entry % cannot go from % to %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entries_status_graph';
    END IF;
  END IF;
  -- Whoever says no length has told the person in another way.
  IF NEW.status = 'NOTIFIED' AND NEW.offer_ms IS NULL AND NEW.expires_at IS NOT NULL THEN
    NEW.told_at := COALESCE(NEW.told_at, NEW.notified_at);
    NEW.offer_ms := GREATEST(1, (extract(epoch FROM NEW.expires_at - NEW.notified_at) * 1000)::bigint);
  END IF;
  RETURN NEW;
END $$;

-- An offer that stands keeps its end, but for one whose mail still waits: that one has not been read by anybody.
UPDATE "waitlist_entries" AS entry
SET "offer_ms" = GREATEST(1, (extract(epoch FROM entry."expires_at" - entry."notified_at") * 1000)::bigint),
    "told_at" = CASE WHEN mail."status" IS NULL THEN entry."notified_at"
                     WHEN mail."status" = 'SENT' THEN GREATEST(mail."settled_at", entry."notified_at") END,
    "expires_at" = CASE WHEN mail."status" = 'QUEUED' THEN plan."starts_at" ELSE entry."expires_at" END
FROM "waitlist_entries" AS each
JOIN "plans" AS plan ON plan."id" = each."plan_id"
LEFT JOIN "outbox_mails" AS mail ON mail."key" = 'waitlist-offer:' || each."id"
WHERE entry."id" = each."id" AND entry."status" = 'NOTIFIED';

-- An offer whose mail was not sent, of a plan without a beginning, has no end yet.
ALTER TABLE "waitlist_entries"
  ADD CONSTRAINT "waitlist_entries_times" CHECK (
    ("status" NOT IN ('NOTIFIED', 'EXPIRED')
      OR ("notified_at" IS NOT NULL AND ("expires_at" IS NOT NULL OR "told_at" IS NULL)))
    AND ("status" <> 'NOTIFIED' OR "offer_ms" IS NOT NULL)
    AND ("status" IN ('WAITING', 'NOTIFIED')) = ("ended_at" IS NULL)
    AND ("booking_id" IS NULL OR "status" = 'BOOKED')
    AND ("told_at" IS NULL OR "notified_at" IS NOT NULL)
    AND ("offer_ms" IS NULL OR "offer_ms" > 0)
  );

CREATE INDEX "waitlist_entries_untold" ON "waitlist_entries" ("plan_id") WHERE "status" = 'NOTIFIED' AND "told_at" IS NULL;
-- When the mail server took a mail last.
CREATE INDEX "outbox_mails_sent" ON "outbox_mails" ("settled_at") WHERE "status" = 'SENT';

-- As the owner: whoever sends mail needs no right on entries. The entry is locked before its plan is read, so that the
-- end is that of the plan's beginning also when somebody moves it at the same moment.
CREATE FUNCTION "begin_offer"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE offered uuid;
BEGIN
  SELECT id INTO offered FROM public.waitlist_entries
    WHERE id = CASE WHEN NEW.key ~ '^waitlist-offer:[0-9a-f-]{36}$' THEN right(NEW.key, 36)::uuid END
      AND status = 'NOTIFIED' AND told_at IS NULL
    FOR NO KEY UPDATE;
  UPDATE public.waitlist_entries AS entry
    SET told_at = NEW.settled_at,
        expires_at = LEAST(NEW.settled_at + entry.offer_ms * interval '1 millisecond', plan.starts_at)
    FROM public.plans AS plan
    WHERE entry.id = offered AND plan.id = entry.plan_id;
  RETURN NULL;
END $$;
CREATE TRIGGER "outbox_mails_begin_offer" AFTER UPDATE OF "status" ON "outbox_mails"
  FOR EACH ROW WHEN (NEW.status = 'SENT' AND OLD.status <> 'SENT' AND NEW.template = 'waitlist-offer')
  EXECUTE FUNCTION "begin_offer"();

-- No offer outlasts the beginning of its plan, and none is cut short by a beginning that is no longer true. What has
-- ended stays ended. As the owner: whoever moves a plan needs no right on entries.
CREATE FUNCTION "move_offers"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE public.waitlist_entries
    SET expires_at = LEAST(told_at + offer_ms * interval '1 millisecond', NEW.starts_at)
    WHERE plan_id = NEW.id AND status = 'NOTIFIED' AND (expires_at IS NULL OR expires_at > now());
  RETURN NULL;
END $$;
CREATE TRIGGER "plans_move_offers" AFTER UPDATE OF "starts_at" ON "plans"
  FOR EACH ROW WHEN (NEW.starts_at IS DISTINCT FROM OLD.starts_at)
  EXECUTE FUNCTION "move_offers"();
