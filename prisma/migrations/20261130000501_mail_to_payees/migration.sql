-- A mail of the outbox may be for a payee as well as for a buyer. Jobs of before this migration still find every mail
-- to a buyer; a mail to a payee is written, and sent, only by jobs of after it.
ALTER TABLE "consultants" ADD COLUMN "email" TEXT;
ALTER TABLE "outbox_mails" ADD COLUMN "consultant_id" UUID;

CREATE INDEX "outbox_mails_consultant_id_idx" ON "outbox_mails"("consultant_id");
ALTER TABLE "outbox_mails" ADD CONSTRAINT "outbox_mails_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "outbox_mails"
  DROP CONSTRAINT "outbox_mails_reader",
  ADD CONSTRAINT "outbox_mails_reader" CHECK (
    num_nonnulls("user_id", "consultant_id", "recipient") = 1
    AND ("recipient" IS NULL OR btrim("recipient") <> '')
  );
ALTER TABLE "consultants"
  ADD CONSTRAINT "consultants_email" CHECK ("email" IS NULL OR "email" LIKE '_%@_%');

CREATE OR REPLACE FUNCTION "guard_outbox_mail"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.status = 'QUEUED' OR OLD.status = 'GAVE_UP' AND NEW.status = 'QUEUED')
     OR (NEW.key, NEW.user_id, NEW.consultant_id, NEW.template, NEW.data, NEW.deliver_until)
       IS DISTINCT FROM
       (OLD.key, OLD.user_id, OLD.consultant_id, OLD.template, OLD.data, OLD.deliver_until) THEN
    RAISE EXCEPTION 'mail % is settled, or its text would change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'outbox_mails_settled_once';
  END IF;
  RETURN NEW;
END $$;
