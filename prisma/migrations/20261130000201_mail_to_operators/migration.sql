-- A mail is for a user, whose address is read when it is sent, or for those who operate the jobs: then the row has the
-- address, which is a setting of the job that wrote it and no person's.
ALTER TABLE "outbox_mails" ADD COLUMN "recipient" TEXT;
ALTER TABLE "outbox_mails" ALTER COLUMN "user_id" DROP NOT NULL;
ALTER TABLE "outbox_mails"
  ADD CONSTRAINT "outbox_mails_reader" CHECK (
    ("user_id" IS NULL) <> ("recipient" IS NULL) AND ("recipient" IS NULL OR btrim("recipient") <> '')
  );
