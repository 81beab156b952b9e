-- An account that the provider's bank refused for good. Nothing is sent to it, nor to a row with the same details,
-- until a person releases the hold; an account that differs is not on hold. A row is never deleted.
CREATE TABLE "payout_account_holds" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "payout_account_id" UUID NOT NULL,
    "payout_id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "placed_by" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "mail_queued_at" TIMESTAMPTZ(3),
    "released_by" TEXT,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "payout_account_holds_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "payout_account_holds_payout_id_idx" ON "payout_account_holds"("payout_id");
CREATE INDEX "payout_account_holds_payout_account_id_idx" ON "payout_account_holds"("payout_account_id");

ALTER TABLE "payout_account_holds" ADD CONSTRAINT "payout_account_holds_payout_account_id_fkey" FOREIGN KEY ("payout_account_id") REFERENCES "payout_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "payout_account_holds" ADD CONSTRAINT "payout_account_holds_payout_id_fkey" FOREIGN KEY ("payout_id") REFERENCES "payouts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "payout_account_holds"
  ADD CONSTRAINT "payout_account_holds_said" CHECK (btrim("reason") <> '' AND btrim("placed_by") <> ''),
  ADD CONSTRAINT "payout_account_holds_released" CHECK (
    ("released_at" IS NULL) = ("released_by" IS NULL)
    AND ("released_by" IS NULL OR btrim("released_by") <> '')
  );

CREATE UNIQUE INDEX "payout_account_holds_one_open" ON "payout_account_holds" ("payout_account_id")
  WHERE "released_at" IS NULL;

CREATE FUNCTION "guard_account_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.released_at IS NOT NULL
     OR OLD.mail_queued_at IS NOT NULL AND NEW.mail_queued_at IS DISTINCT FROM OLD.mail_queued_at
     OR (to_jsonb(NEW) - '{released_at,released_by,mail_queued_at}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{released_at,released_by,mail_queued_at}'::text[]) THEN
    RAISE EXCEPTION 'hold % of an account can only be released, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_account_holds_released_once';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "payout_account_holds_guard" BEFORE UPDATE ON "payout_account_holds"
  FOR EACH ROW EXECUTE FUNCTION "guard_account_hold"();
CREATE TRIGGER "payout_account_holds_no_delete" BEFORE DELETE OR TRUNCATE ON "payout_account_holds"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
