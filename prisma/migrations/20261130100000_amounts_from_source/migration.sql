-- An amount that is copied is checked against the row it was copied from, when it is written and whoever writes it.
-- Before this, a login of the jobs could make a payout of any amount out of a small earning: the copies agreed with
-- each other, and nothing compared them with the earning.
--
-- Every rule here judges new writes alone. What stands already is judged by ledger/reconcile-ledger and by
-- `npm run ledger:audit`, which tell of it and stop nothing.

-- Payouts and their items ------------------------------------------------------------------------

-- All items of a payout come in one statement, each with what `earnings_net` leaves of its earning, and make the payout
-- up to the paisa. By index whatever the planner thinks, as for attempts.
CREATE FUNCTION "guard_new_items"() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE wrong record;
BEGIN
  SELECT added.payout_id, added.earning_id INTO wrong FROM added
    WHERE NOT EXISTS (
      SELECT FROM payouts AS payout JOIN earnings AS earning ON earning.consultant_id = payout.consultant_id
      WHERE payout.id = added.payout_id AND earning.id = added.earning_id)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'earning % is not of the payee of payout %', wrong.earning_id, wrong.payout_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_items_of_payee';
  END IF;
  SELECT added.payout_id, added.earning_id, added.amount_paise, added.gross_paise INTO wrong FROM added
    WHERE NOT EXISTS (
      SELECT FROM earnings_net AS net
      WHERE net.earning_id = added.earning_id AND net.payable AND net.due
        AND net.gross_paise = added.gross_paise AND net.amount_paise = added.amount_paise)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'payout % can not hold earning % with % paise of % gross: that is not what is due of it',
      wrong.payout_id, wrong.earning_id, wrong.amount_paise, wrong.gross_paise
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_items_of_earning';
  END IF;
  SELECT payout.id INTO wrong
    FROM (SELECT DISTINCT payout_id FROM added) AS changed
    JOIN payouts AS payout ON payout.id = changed.payout_id
    CROSS JOIN LATERAL (
      SELECT sum(gross_paise) AS gross, sum(amount_paise) AS amount FROM payout_items WHERE payout_id = payout.id
    ) AS sums
    WHERE payout.gross_paise <> sums.gross OR payout.amount_paise <> sums.amount
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the items of payout % do not make it up', wrong.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_items_sum';
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER "payout_items_of_payee" ON "payout_items";
DROP FUNCTION "guard_payout_item"();
CREATE TRIGGER "payout_items_of_earning" AFTER INSERT ON "payout_items"
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "guard_new_items"();

CREATE FUNCTION "guard_payout_items_sum"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM payout_items WHERE payout_id = NEW.id) THEN
    RAISE EXCEPTION 'payout % holds no earning', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_items_sum';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER "payouts_items_sum" AFTER INSERT ON "payouts"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "guard_payout_items_sum"();

-- An earning leaves a payout that will not be sent, and comes back into one only as it was when it left.
CREATE FUNCTION "guard_item_release"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.released_at IS NOT NULL THEN
    IF EXISTS (SELECT FROM payouts WHERE id = NEW.payout_id AND status NOT IN ('FAILED', 'REVERSED', 'REJECTED')) THEN
      RAISE EXCEPTION 'payout % still holds earning %', NEW.payout_id, NEW.earning_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_items_released_after';
    END IF;
  ELSIF NOT EXISTS (
    SELECT FROM earnings_net AS net
    WHERE net.earning_id = NEW.earning_id AND net.payable AND net.due
      AND net.gross_paise = NEW.gross_paise AND net.amount_paise = NEW.amount_paise) THEN
    RAISE EXCEPTION 'earning % is no longer what payout % held of it', NEW.earning_id, NEW.payout_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_items_of_earning';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "payout_items_release" BEFORE UPDATE OF "released_at" ON "payout_items"
  FOR EACH ROW WHEN ((OLD.released_at IS NULL) <> (NEW.released_at IS NULL))
  EXECUTE FUNCTION "guard_item_release"();

-- A payout is complete when the provider paid an attempt of it, or when tax took all of it.
CREATE FUNCTION "guard_payout_completed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (CASE WHEN NEW.net_paise > 0 THEN EXISTS (
      SELECT FROM payout_attempts WHERE payout_id = NEW.id AND state = 'PROCESSED' AND amount_paise = NEW.net_paise)
    ELSE NEW.amount_paise = (SELECT COALESCE(sum(tax_paise), 0) FROM tax_deductions WHERE payout_id = NEW.id) END)
  THEN
    RAISE EXCEPTION 'payout % is not paid: neither an attempt nor its deductions say so', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_completed_when_paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "payouts_completed_when_paid" BEFORE UPDATE OF "status" ON "payouts"
  FOR EACH ROW WHEN (NEW.status = 'COMPLETED' AND OLD.status = 'PROCESSING' AND NEW.net_paise IS NOT NULL)
  EXECUTE FUNCTION "guard_payout_completed"();

-- Tax --------------------------------------------------------------------------------------------

-- A deduction is taken from a sale that the payout holds, with the gross of that item.
CREATE FUNCTION "guard_new_deductions"() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE wrong record;
BEGIN
  SELECT added.payout_id, added.earning_id INTO wrong FROM added
    WHERE added.reverses_id IS NULL AND NOT EXISTS (
      SELECT FROM payout_items AS item JOIN payouts AS payout ON payout.id = item.payout_id
      WHERE item.payout_id = added.payout_id AND item.earning_id = added.earning_id
        AND item.gross_paise = added.gross_paise AND payout.consultant_id = added.consultant_id)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a deduction of payout % is not on what the payout holds of earning %', wrong.payout_id, wrong.earning_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'tax_deductions_of_item';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "tax_deductions_of_item" AFTER INSERT ON "tax_deductions"
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "guard_new_deductions"();

-- What leaves is what the items say less what the deductions say.
CREATE OR REPLACE FUNCTION "guard_new_attempts"() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE wrong record;
BEGIN
  -- Attempt n+1 only after the provider said that attempt n is definitely failed.
  SELECT added.payout_id, added.attempt_no INTO wrong FROM added
    WHERE added.state <> 'PREPARED' OR added.attempt_no <> 1 + (
      SELECT count(*) FILTER (WHERE earlier.state IN ('REFUSED', 'FAILED', 'REVERSED'))
      FROM payout_attempts AS earlier WHERE earlier.payout_id = added.payout_id)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'attempt % of payout % is not the next one', wrong.attempt_no, wrong.payout_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_in_turn';
  END IF;
  -- The amount that leaves is the net of the payout, of a payout that is claimed. The lock waits for a
  -- run that takes the claim over at this moment; what it has done, the next statement sees.
  PERFORM 1 FROM payouts WHERE id IN (SELECT payout_id FROM added) ORDER BY id FOR SHARE;
  SELECT added.payout_id, added.run_id, added.amount_paise INTO wrong FROM added
    WHERE NOT EXISTS (
      SELECT 1 FROM payouts
      WHERE id = added.payout_id AND status::text = 'PROCESSING' AND claimed_by = added.run_id
        AND net_paise = added.amount_paise)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'payout % is not claimed by run % with net %', wrong.payout_id, wrong.run_id, wrong.amount_paise
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_claimed';
  END IF;
  SELECT added.payout_id, added.amount_paise INTO wrong FROM added
    WHERE added.amount_paise <> (
      SELECT sum(net.amount_paise) FROM payout_items AS item JOIN earnings_net AS net ON net.earning_id = item.earning_id
      WHERE item.payout_id = added.payout_id AND item.released_at IS NULL
    ) - (
      SELECT COALESCE(sum(line.tax_paise), 0) FROM tax_deductions AS line WHERE line.payout_id = added.payout_id
    )
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'attempt of payout % says % paise, which are not its earnings less its deductions',
      wrong.payout_id, wrong.amount_paise
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_attempts_of_earnings';
  END IF;
  RETURN NULL;
END $$;

-- Books ------------------------------------------------------------------------------------------

-- The id behind the colon of a key; null where there is none.
CREATE FUNCTION "uuid_of_key"(key text) RETURNS uuid LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN split_part(key, ':', 2) ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN split_part(key, ':', 2)::uuid END;

-- What the marketplace posts itself, such as `wallet-funded` and `wallet-spent`.
CREATE FUNCTION "is_marketplace_kind"(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN kind LIKE 'wallet-%' AND kind NOT IN ('wallet-released', 'wallet-taken-again', 'wallet-refunded');

-- Entries that a posting must have, from the row it is about; none where there is no such row. The marketplace's own
-- movements of wallets and the books' first cash have no row here: of them the accounts are known, not the amount.
CREATE FUNCTION "ledger_source"(booking "ledger_transactions")
RETURNS TABLE (code "ledger_account_code", owner uuid, amount_paise bigint) LANGUAGE sql STABLE AS $$
  SELECT entry.code::ledger_account_code, entry.owner, entry.paise
  FROM earnings AS earning
  CROSS JOIN LATERAL (VALUES
    ('PLATFORM_CLEARING', NULL::uuid, earning.amount_paise),
    ('CONSULTANT_PAYABLE', earning.consultant_id, -earning.amount_paise)
  ) AS entry (code, owner, paise)
  WHERE booking.kind = 'earning-released' AND earning.id = booking.earning_id
    AND booking.key = 'earning-released:' || earning.id
UNION ALL
  SELECT entry.code::ledger_account_code, entry.owner, entry.paise
  FROM earning_refunds AS refund JOIN earnings AS earning ON earning.id = refund.earning_id
  CROSS JOIN LATERAL (VALUES
    ('PLATFORM_CLEARING', NULL::uuid, -refund.amount_paise),
    ('CONSULTANT_PAYABLE', earning.consultant_id, refund.amount_paise)
  ) AS entry (code, owner, paise)
  WHERE booking.kind = 'earning-refunded' AND refund.earning_id = booking.earning_id
    AND booking.key = 'earning-refunded:' || refund.key
UNION ALL
  -- Fees as the provider's answer said them; an attempt that came back before the payout was paid is not the one.
  SELECT entry.code::ledger_account_code, entry.owner, entry.paise * CASE booking.kind WHEN 'payout-completed' THEN 1 ELSE -1 END
  FROM payouts AS payout
  LEFT JOIN LATERAL (
    SELECT * FROM payout_attempts AS attempt
    WHERE attempt.payout_id = payout.id AND attempt.state IN ('PROCESSED', 'REVERSED')
    ORDER BY attempt.attempt_no DESC LIMIT 1
  ) AS paid ON true
  CROSS JOIN LATERAL (VALUES
    ('CONSULTANT_PAYABLE', payout.consultant_id, payout.amount_paise),
    ('TAX_PAYABLE', NULL::uuid, -payout.tax_paise),
    ('PROVIDER_FEES', NULL, COALESCE(paid.fees_paise, 0) - COALESCE(paid.fees_tax_paise, 0)),
    ('PROVIDER_FEES_TAX', NULL, COALESCE(paid.fees_tax_paise, 0)),
    ('PROVIDER_FEES_DUE', NULL, CASE WHEN paid.fees_apart THEN -COALESCE(paid.fees_paise, 0) ELSE 0 END),
    (CASE WHEN paid.debited_elsewhere THEN 'BANK_OTHER' ELSE 'BANK' END, NULL,
     -payout.net_paise - CASE WHEN paid.fees_apart THEN 0 ELSE COALESCE(paid.fees_paise, 0) END)
  ) AS entry (code, owner, paise)
  WHERE payout.id = booking.payout_id AND booking.key = booking.kind || ':' || payout.id
    AND (booking.kind = 'payout-completed' AND payout.status IN ('COMPLETED', 'REVERSED')
         OR booking.kind = 'payout-reversed' AND payout.status = 'REVERSED')
UNION ALL
  SELECT entry.code::ledger_account_code, entry.owner,
         entry.paise * CASE booking.kind WHEN 'wallet-released' THEN 1 ELSE -1 END
  FROM payment_legs AS leg
  CROSS JOIN LATERAL (VALUES
    ('PLATFORM_CLEARING', NULL::uuid, leg.amount_paise), ('WALLET', leg.wallet_id, -leg.amount_paise)
  ) AS entry (code, owner, paise)
  WHERE booking.kind IN ('wallet-released', 'wallet-taken-again') AND leg.kind = 'wallet'
    AND leg.id = "uuid_of_key"(booking.key) AND booking.key = booking.kind || ':' || leg.id
    -- The posting of the release stays when the leg is taken again.
    AND CASE booking.kind
      WHEN 'wallet-taken-again' THEN leg.released_at IS NULL
      ELSE leg.released_at IS NOT NULL
        OR EXISTS (SELECT FROM ledger_transactions WHERE key = 'wallet-taken-again:' || leg.id)
    END
UNION ALL
  SELECT entry.code::ledger_account_code, entry.owner, entry.paise
  FROM refund_legs AS back JOIN payment_legs AS leg ON leg.id = back.payment_leg_id
  CROSS JOIN LATERAL (VALUES
    ('PLATFORM_CLEARING', NULL::uuid, back.amount_paise), ('WALLET', leg.wallet_id, -back.amount_paise)
  ) AS entry (code, owner, paise)
  WHERE booking.kind = 'wallet-refunded' AND leg.kind = 'wallet' AND back.state = 'PROCESSED'
    AND back.id = "uuid_of_key"(booking.key) AND booking.key = 'wallet-refunded:' || back.id
UNION ALL
  SELECT entry.code::ledger_account_code, NULL, entry.paise
  FROM tax_deposits AS deposit
  CROSS JOIN LATERAL (VALUES
    ('TAX_PAYABLE', deposit.amount_paise), ('PLATFORM_CLEARING', -deposit.amount_paise)
  ) AS entry (code, paise)
  WHERE booking.kind = 'tax-deposited' AND deposit.id = "uuid_of_key"(booking.key)
    AND booking.key = 'tax-deposited:' || deposit.id
UNION ALL
  SELECT entry.code::ledger_account_code, NULL, entry.paise
  FROM provider_transactions AS stored
  CROSS JOIN LATERAL (VALUES
    ('BANK', stored.credit_paise), ('PLATFORM_CLEARING', -stored.credit_paise)
  ) AS entry (code, paise)
  WHERE booking.kind = 'provider-funding' AND booking.key = 'provider-transaction:' || stored.id
    AND stored.source_entity = 'bank_transfer'
UNION ALL
  SELECT entry.code::ledger_account_code, NULL, entry.paise
  FROM provider_transactions AS stored
  CROSS JOIN LATERAL (VALUES
    ('PROVIDER_FEES_DUE', stored.debit_paise - stored.credit_paise), ('BANK', stored.credit_paise - stored.debit_paise)
  ) AS entry (code, paise)
  WHERE booking.kind = 'provider-fees-collected' AND booking.key = 'provider-transaction:' || stored.id
    AND stored.source_entity IS DISTINCT FROM 'bank_transfer'
UNION ALL
  -- The other side of the books' first cash.
  SELECT side.code::ledger_account_code, NULL, side.sign * entry.amount_paise
  FROM ledger_entries AS entry
  JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'BANK'
  CROSS JOIN (VALUES ('BANK', 1), ('PLATFORM_CLEARING', -1)) AS side (code, sign)
  WHERE (booking.kind = 'provider-opening' AND booking.key = 'provider-opening'
         OR booking.kind = 'opening' AND booking.key LIKE 'opening:%')
    AND entry.transaction_id = booking.id
UNION ALL
  SELECT side.code::ledger_account_code, CASE side.code WHEN 'WALLET' THEN account.wallet_id END,
         side.sign * entry.amount_paise
  FROM ledger_entries AS entry
  JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'WALLET'
  CROSS JOIN (VALUES ('WALLET', 1), ('PLATFORM_CLEARING', -1)) AS side (code, sign)
  WHERE "is_marketplace_kind"(booking.kind) AND booking.key LIKE booking.kind || ':%' AND entry.transaction_id = booking.id
$$;

-- Postings whose entries are not those of their source: by account, what must be less what is there. Entries are read
-- by index, not out of the statement's own rows, which would compare each posting with each (20,000 in an import).
CREATE FUNCTION "guard_ledger_sources"() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE wrong record;
BEGIN
  SELECT booking.key, booking.kind INTO wrong
    FROM (SELECT DISTINCT transaction_id FROM added) AS posted
    JOIN ledger_transactions AS booking ON booking.id = posted.transaction_id
    WHERE EXISTS (
      SELECT FROM (
        SELECT source.code, source.owner, source.amount_paise FROM ledger_source(booking) AS source
        UNION ALL
        SELECT account.code, COALESCE(account.consultant_id, account.wallet_id), -entry.amount_paise
        FROM ledger_entries AS entry JOIN ledger_accounts AS account ON account.id = entry.account_id
        WHERE entry.transaction_id = booking.id
      ) AS side
      GROUP BY side.code, side.owner HAVING sum(side.amount_paise) <> 0)
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'posting % of kind % does not say what its source says', wrong.key, wrong.kind
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_of_source';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "ledger_entries_of_source" AFTER INSERT ON "ledger_entries"
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "guard_ledger_sources"();

ALTER TABLE "ledger_transactions" ADD CONSTRAINT "ledger_transactions_kind" CHECK ("kind" IN (
  'earning-released', 'earning-refunded', 'payout-completed', 'payout-reversed', 'wallet-released', 'wallet-taken-again',
  'wallet-refunded', 'tax-deposited', 'opening', 'provider-opening', 'provider-funding', 'provider-fees-collected'
) OR "is_marketplace_kind"("kind")) NOT VALID;

-- No row here is the source of what the marketplace posts, or of the cash that is brought in from another system: the
-- logins of jobs and operators may not post them.
CREATE FUNCTION "guard_marketplace_posting"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM pg_roles AS login JOIN pg_roles AS role ON role.rolname = 'afterhours_jobs'
    WHERE login.rolname = session_user AND NOT login.rolsuper AND pg_has_role(login.oid, role.oid, 'USAGE')
      AND login.oid <> (SELECT relowner FROM pg_class WHERE oid = TG_RELID)
  ) THEN
    RAISE EXCEPTION 'posting % belongs to the marketplace, not to the login %', NEW.key, session_user
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transactions_of_marketplace';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "ledger_transactions_of_marketplace" BEFORE INSERT ON "ledger_transactions"
  FOR EACH ROW WHEN ("is_marketplace_kind"(NEW.kind) OR NEW.kind = 'opening')
  EXECUTE FUNCTION "guard_marketplace_posting"();

-- Wallet money and credit go back when the checkout has ended unpaid, and never of one that is paid.
CREATE OR REPLACE FUNCTION "guard_payment_leg"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE status payment_status;
BEGIN
  SELECT payment.status INTO status FROM payments AS payment WHERE payment.id = OLD.payment_id;
  IF (to_jsonb(NEW) - 'released_at') IS DISTINCT FROM (to_jsonb(OLD) - 'released_at')
     OR (OLD.released_at IS NOT NULL AND NOT (NEW.released_at IS NULL AND status = 'ORPHANED')) THEN
    RAISE EXCEPTION 'leg % of a payment can only be released, and once', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_legs_released_once';
  END IF;
  IF OLD.released_at IS NULL AND NEW.released_at IS NOT NULL AND status IN ('PAID', 'REFUNDED') THEN
    RAISE EXCEPTION 'leg % is of a payment that is %', OLD.id, status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_legs_released_unpaid';
  END IF;
  RETURN NEW;
END $$;

-- A wallet holds what its account in the books says, at the end of whatever changes either.
CREATE FUNCTION "guard_wallet_balance"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE checked uuid := NEW.id;
DECLARE stated numeric;
DECLARE booked numeric;
BEGIN
  SELECT wallet.balance_paise INTO stated FROM wallet_accounts AS wallet WHERE wallet.id = checked;
  SELECT COALESCE(-sum(entry.amount_paise), 0) INTO booked
    FROM ledger_accounts AS account JOIN ledger_entries AS entry ON entry.account_id = account.id
    WHERE account.wallet_id = checked;
  IF stated <> booked THEN
    RAISE EXCEPTION 'wallet % would hold % paise where its account in the books has %', checked, stated, booked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_accounts_booked';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER "wallet_accounts_booked" AFTER UPDATE ON "wallet_accounts"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.balance_paise IS DISTINCT FROM NEW.balance_paise)
  EXECUTE FUNCTION "guard_wallet_balance"();
