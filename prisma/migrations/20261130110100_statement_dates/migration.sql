-- One transaction of the account dated 2099 once moved the place where the next reading begins, for good. Times that
-- can't be are refused when a row is written; rows that are there stay. The reader begins at now at the latest.
CREATE FUNCTION "guard_statement_date"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'transaction % of the account is dated %, which is still to come', NEW.id, NEW.at
    USING ERRCODE = 'check_violation', CONSTRAINT = 'provider_transactions_date';
END $$;
CREATE TRIGGER "provider_transactions_date" BEFORE INSERT ON "provider_transactions"
  FOR EACH ROW WHEN (NEW.at > now() + interval '1 day') EXECUTE FUNCTION "guard_statement_date"();

-- A day is closed once it is over, after the day before it, and begins with what that day ended with. The first has
-- none before it. A day that another run has closed meanwhile is left to its primary key.
CREATE FUNCTION "guard_closed_day"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE earlier provider_days%ROWTYPE;
BEGIN
  IF NEW.day >= india_today() THEN
    RAISE EXCEPTION 'day % of the account is not over', NEW.day
      USING ERRCODE = 'check_violation', CONSTRAINT = 'provider_days_over';
  END IF;
  IF EXISTS (SELECT FROM provider_days WHERE day = NEW.day) THEN RETURN NEW; END IF;
  SELECT * INTO earlier FROM provider_days WHERE day < india_today() ORDER BY day DESC LIMIT 1;
  IF FOUND AND (NEW.day, NEW.opening_paise) IS DISTINCT FROM (earlier.day + 1, earlier.closing_paise) THEN
    RAISE EXCEPTION 'day % of the account does not go on from %, closed with %', NEW.day, earlier.day, earlier.closing_paise
      USING ERRCODE = 'check_violation', CONSTRAINT = 'provider_days_in_turn';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "provider_days_in_turn" BEFORE INSERT ON "provider_days"
  FOR EACH ROW EXECUTE FUNCTION "guard_closed_day"();
