-- A deduction is counted in the financial year of its credit. The year is written by the run that assesses it, and
-- a run that misread the day of the credit once wrote 1990.
--
-- No CHECK, not even one that is NOT VALID: that is looked at again at each UPDATE, so a wrong row that is reserved
-- could never become final, and its reversal, which has the year of what it takes back, could not be written. Rows
-- that are there stay as they are; the daily check of the books names them. The year of a row never changes anyway.
CREATE FUNCTION "refuse_year_of_deduction"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a tax deduction on a credit of % is not one of the financial year %',
      to_char(NEW.credited_on, 'YYYY-MM-DD'), NEW.fiscal_year
    USING ERRCODE = 'check_violation', TABLE = 'tax_deductions', CONSTRAINT = 'tax_deductions_fiscal_year';
END $$;

CREATE TRIGGER "tax_deductions_fiscal_year" BEFORE INSERT ON "tax_deductions"
  FOR EACH ROW WHEN (NEW.reverses_id IS NULL
    AND NEW.fiscal_year IS DISTINCT FROM EXTRACT(YEAR FROM NEW.credited_on - interval '3 months'))
  EXECUTE FUNCTION "refuse_year_of_deduction"();
