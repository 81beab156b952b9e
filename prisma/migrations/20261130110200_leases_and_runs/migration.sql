-- A lease counts up by one, and ends within a day: a fence of the greatest number, or a lease until 2999, stopped its
-- job for good. Rows that are there stay; docs/operations.md says how the owner frees one.
CREATE FUNCTION "guard_lease"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A difference and no sum: the greatest number has no successor.
  IF TG_OP = 'INSERT' AND NEW.fence <> 1 OR TG_OP = 'UPDATE' AND NEW.fence - OLD.fence NOT IN (0, 1) THEN
    RAISE EXCEPTION 'the fence of lease % counts up by one', NEW.key
      USING ERRCODE = 'check_violation', CONSTRAINT = 'job_leases_fence';
  END IF;
  IF NEW.expires_at > clock_timestamp() + interval '1 day' THEN
    RAISE EXCEPTION 'lease % would end later than in a day', NEW.key
      USING ERRCODE = 'check_violation', CONSTRAINT = 'job_leases_expires';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.key IS DISTINCT FROM OLD.key THEN
    RAISE EXCEPTION 'lease % keeps its key', OLD.key
      USING ERRCODE = 'check_violation', CONSTRAINT = 'job_leases_key';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "job_leases_guard" BEFORE INSERT OR UPDATE ON "job_leases"
  FOR EACH ROW EXECUTE FUNCTION "guard_lease"();

-- A run ends once, when it is written that it does, and its record says by which login it was begun.
ALTER TABLE "job_runs" ADD COLUMN "login" TEXT;
ALTER TABLE "job_runs" ALTER COLUMN "login" SET DEFAULT SESSION_USER;

CREATE FUNCTION "guard_run"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.outcome IS NOT NULL
     OR (NEW.id, NEW.job, NEW.owner, NEW.fence, NEW.commit, NEW.run_url, NEW.started_at, NEW.login)
        IS DISTINCT FROM
        (OLD.id, OLD.job, OLD.owner, OLD.fence, OLD.commit, OLD.run_url, OLD.started_at, OLD.login) THEN
    RAISE EXCEPTION 'the record of run % can only get its end, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'job_runs_end_once';
  END IF;
  NEW.finished_at := CASE WHEN NEW.outcome IS NOT NULL THEN now() END;
  RETURN NEW;
END $$;
CREATE TRIGGER "job_runs_end_once" BEFORE UPDATE ON "job_runs"
  FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION "guard_run"();
