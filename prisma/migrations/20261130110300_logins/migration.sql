-- Beside each name that a person gives, the login of the session that wrote it. Whatever a statement says, the database
-- writes these columns. Rows of before stay without.

ALTER TABLE "consultant_holds" ADD COLUMN "placed_login" TEXT, ADD COLUMN "released_login" TEXT;
ALTER TABLE "payout_account_holds" ADD COLUMN "placed_login" TEXT, ADD COLUMN "released_login" TEXT;
ALTER TABLE "maintenance" ADD COLUMN "updated_login" TEXT;
ALTER TABLE "tax_deposits" ADD COLUMN "recorded_login" TEXT;
ALTER TABLE "lower_deduction_certificates" ADD COLUMN "changed_login" TEXT;
ALTER TABLE "organizations" ADD COLUMN "payee_login" TEXT;
ALTER TABLE "payouts" ADD COLUMN "approved_login" TEXT;
ALTER TABLE "payout_accounts" ADD COLUMN "placed_login" TEXT;
ALTER TABLE "earnings" ADD COLUMN "created_login" TEXT;

-- Takes the name of the column. A trigger of each table says when.
CREATE FUNCTION "write_login"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RETURN jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], session_user));
END $$;

CREATE TRIGGER "consultant_holds_placed_login" BEFORE INSERT ON "consultant_holds"
  FOR EACH ROW EXECUTE FUNCTION "write_login"('placed_login');
CREATE TRIGGER "consultant_holds_released_login" BEFORE UPDATE ON "consultant_holds"
  FOR EACH ROW WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL)
  EXECUTE FUNCTION "write_login"('released_login');
CREATE TRIGGER "payout_account_holds_placed_login" BEFORE INSERT ON "payout_account_holds"
  FOR EACH ROW EXECUTE FUNCTION "write_login"('placed_login');
CREATE TRIGGER "payout_account_holds_released_login" BEFORE UPDATE ON "payout_account_holds"
  FOR EACH ROW WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL)
  EXECUTE FUNCTION "write_login"('released_login');
CREATE TRIGGER "maintenance_updated_login" BEFORE INSERT OR UPDATE ON "maintenance"
  FOR EACH ROW EXECUTE FUNCTION "write_login"('updated_login');
CREATE TRIGGER "tax_deposits_recorded_login" BEFORE INSERT ON "tax_deposits"
  FOR EACH ROW EXECUTE FUNCTION "write_login"('recorded_login');
CREATE TRIGGER "lower_deduction_certificates_changed_login" BEFORE INSERT OR UPDATE ON "lower_deduction_certificates"
  FOR EACH ROW EXECUTE FUNCTION "write_login"('changed_login');
CREATE TRIGGER "organizations_payee_login" BEFORE INSERT OR UPDATE OF "payee_id" ON "organizations"
  FOR EACH ROW WHEN (NEW.payee_id IS NOT NULL) EXECUTE FUNCTION "write_login"('payee_login');
CREATE TRIGGER "payouts_approved_login" BEFORE INSERT OR UPDATE OF "approved_at" ON "payouts"
  FOR EACH ROW WHEN (NEW.approved_at IS NOT NULL) EXECUTE FUNCTION "write_login"('approved_login');

-- Thousands of rows at once: a default, and no role may name the column.
ALTER TABLE "payout_accounts" ALTER COLUMN "placed_login" SET DEFAULT SESSION_USER;
ALTER TABLE "earnings" ALTER COLUMN "created_login" SET DEFAULT SESSION_USER;
