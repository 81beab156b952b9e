-- What a person has resolved stays as it was said. Only that a job has seen the same difference again is
-- written down: it keeps the finding from being pruned, after which it would be open once more.
CREATE OR REPLACE FUNCTION "guard_finding"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(NEW) - 'last_seen_at' IS DISTINCT FROM to_jsonb(OLD) - 'last_seen_at'
     OR NEW.last_seen_at < OLD.last_seen_at THEN
    RAISE EXCEPTION 'finding % is resolved and can not change', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'findings_resolved_once';
  END IF;
  RETURN NEW;
END $$;

-- What waits for a person or for its sending is not deleted, whatever a limit says.
CREATE FUNCTION "refuse_delete_of_open"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a row of % that is still open can not be deleted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_open_stays';
END $$;
CREATE TRIGGER "findings_open_stays" BEFORE DELETE ON "findings"
  FOR EACH ROW WHEN (OLD.resolved_at IS NULL) EXECUTE FUNCTION "refuse_delete_of_open"();
CREATE TRIGGER "outbox_mails_open_stays" BEFORE DELETE ON "outbox_mails"
  FOR EACH ROW WHEN (OLD.status IN ('QUEUED', 'GAVE_UP')) EXECUTE FUNCTION "refuse_delete_of_open"();
CREATE TRIGGER "job_runs_open_stays" BEFORE DELETE ON "job_runs"
  FOR EACH ROW WHEN (OLD.outcome IS NULL) EXECUTE FUNCTION "refuse_delete_of_open"();
