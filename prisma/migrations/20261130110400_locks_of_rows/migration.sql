-- A lock by number can be taken by everybody who may connect, readers included, and held for as long as they like. A
-- lock of a row takes the right to update a column of its table. Whoever only reads can't hold up anybody any more.

-- One row for each payee: claims share it, a hold takes it for itself.
CREATE TABLE "payee_locks" (
    "consultant_id" UUID NOT NULL,
    "touched_at" TIMESTAMPTZ(3),

    CONSTRAINT "payee_locks_pkey" PRIMARY KEY ("consultant_id")
);
ALTER TABLE "payee_locks" ADD CONSTRAINT "payee_locks_consultant_id_fkey" FOREIGN KEY ("consultant_id") REFERENCES "consultants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- As the owner: whoever adds payees needs no right on this table.
CREATE FUNCTION "add_payee_locks"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO public.payee_locks (consultant_id) SELECT id FROM added ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER "consultants_payee_lock" AFTER INSERT ON "consultants"
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "add_payee_locks"();
INSERT INTO "payee_locks" ("consultant_id") SELECT "id" FROM "consultants" ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION "share_payee_lock"(payee uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM 1 FROM payee_locks WHERE consultant_id = payee FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'payee % has no row in payee_locks', payee
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'payee_locks_of_payee';
  END IF;
END $$;

-- As the owner as well. A trigger's function can't be called, so that the lock comes with a hold only.
CREATE OR REPLACE FUNCTION "lock_payee_for_hold"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM 1 FROM public.payee_locks WHERE consultant_id = NEW.consultant_id FOR UPDATE;
  RETURN NEW;
END $$;

DROP FUNCTION "payee_lock_key"(uuid);

-- Who approves or places a hold locks the payee's row, for which PostgreSQL wants the right to update some column of it.
ALTER TABLE "consultants" ADD COLUMN "touched_at" TIMESTAMPTZ(3);

-- One row for each command of which two at once must wait for each other.
CREATE TABLE "command_locks" (
    "command" TEXT NOT NULL,
    "touched_at" TIMESTAMPTZ(3),

    CONSTRAINT "command_locks_pkey" PRIMARY KEY ("command")
);
INSERT INTO "command_locks" ("command") VALUES ('import-earnings'), ('tax-deposit');
