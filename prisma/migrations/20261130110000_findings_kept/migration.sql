-- A finding is opened by a job and resolved by a person. Rows that are there stay as they are.

-- The details as they were first seen: a later run, or somebody with a job's password, may write others. And the
-- login that resolved it, which nobody can claim.
ALTER TABLE "findings" ADD COLUMN "first_details" JSONB, ADD COLUMN "resolved_login" TEXT;

CREATE FUNCTION "guard_new_finding"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.resolved_at IS NOT NULL OR NEW.resolved_by IS NOT NULL OR NEW.resolution IS NOT NULL THEN
    RAISE EXCEPTION 'a finding begins open: a person resolves it later'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'findings_begin_open';
  END IF;
  NEW.first_details := NEW.details;
  NEW.resolved_login := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER "findings_begin_open" BEFORE INSERT ON "findings"
  FOR EACH ROW EXECUTE FUNCTION "guard_new_finding"();

-- The severity of an open finding only rises. A lower one is not written and is no error: programs of before this
-- migration write whichever they see now.
CREATE FUNCTION "keep_open_finding"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.kind, NEW.subject_type, NEW.subject_id, NEW.first_seen_at, NEW.first_details)
     IS DISTINCT FROM (OLD.kind, OLD.subject_type, OLD.subject_id, OLD.first_seen_at, OLD.first_details) THEN
    RAISE EXCEPTION 'the subject of finding % can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'findings_same_subject';
  END IF;
  NEW.severity := LEAST(OLD.severity, NEW.severity);
  NEW.resolved_login := CASE WHEN NEW.resolved_at IS NOT NULL THEN session_user END;
  IF NEW.resolved_at IS NOT NULL THEN NEW.resolved_at := now(); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "findings_kept" BEFORE UPDATE ON "findings"
  FOR EACH ROW WHEN (OLD.resolved_at IS NULL) EXECUTE FUNCTION "keep_open_finding"();

-- What may be deleted has its age, whatever a setting says. The times are the least that the settings of ops/prune allow.
CREATE FUNCTION "refuse_delete_of_young"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a row of % that is so young can not be deleted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_young_stays';
END $$;
CREATE TRIGGER "findings_young_stays" BEFORE DELETE ON "findings"
  FOR EACH ROW WHEN (GREATEST(OLD.resolved_at, OLD.last_seen_at) > now() - interval '1 day')
  EXECUTE FUNCTION "refuse_delete_of_young"();
CREATE TRIGGER "outbox_mails_young_stays" BEFORE DELETE ON "outbox_mails"
  FOR EACH ROW WHEN (COALESCE(OLD.settled_at, OLD.created_at) > now() - interval '1 day')
  EXECUTE FUNCTION "refuse_delete_of_young"();
CREATE TRIGGER "job_runs_young_stays" BEFORE DELETE ON "job_runs"
  FOR EACH ROW WHEN (OLD.started_at > now() - interval '35 days')
  EXECUTE FUNCTION "refuse_delete_of_young"();

-- When a mail was settled is the database's word, since its age decides when it goes.
CREATE FUNCTION "date_settled_mail"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.settled_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER "outbox_mails_settled_now" BEFORE UPDATE OF "settled_at", "status" ON "outbox_mails"
  FOR EACH ROW WHEN (NEW.settled_at IS NOT NULL OR NEW.status IN ('SENT', 'LAPSED', 'GAVE_UP')) EXECUTE FUNCTION "date_settled_mail"();
