-- Who may do what in the database. Run it as the owner of the database, after the migrations and again after each new
-- one: `npm run db:roles`, or `psql -v ON_ERROR_STOP=1 -f prisma/roles.sql "$DATABASE_URL"`. It can be run at any
-- time, also while jobs run: what it does not name is taken away, what it names is granted, in one transaction.
--
-- The roles are groups without a login and without a password. Logins are made by a person and put into one of them, or
-- into several (docs/security.md):
--   afterhours_readonly    reads everything: dry runs, `jobs -- check`, and whatever only looks
--   afterhours_jobs        reads, and writes what the jobs write, column by column
--   afterhours_payees      reads, and brings in payees, their accounts and earnings
--   afterhours_approvers   reads, approves, rejects and retries payouts, places and releases holds
--   afterhours_tax         reads, and records tax deposits, certificates and reliefs
--   afterhours_operators   all of these, and: resolves findings, maintenance, `import:earnings --approve`, refunds
-- None of them can alter the schema, delete or change a row of the books or of the audit log, or switch off a trigger.

BEGIN;

-- Two at once would get in each other's way in the catalogue. The lock is one that none of these roles can take or hold up:
-- whoever only reads may lock this table for reading, which is no matter. Rights are taken away with it, so it never waits long.
SET LOCAL lock_timeout = '5s';
DO $$
DECLARE held record;
BEGIN
  LOCK TABLE public._prisma_migrations IN SHARE ROW EXCLUSIVE MODE;
EXCEPTION WHEN lock_not_available THEN
  SELECT string_agg(format('session %s (login %s, program "%s")', lock.pid, usename, application_name), ', ') AS names,
         string_agg(format('SELECT pg_terminate_backend(%s);', lock.pid), ' ') AS command
    INTO held
    FROM pg_locks AS lock JOIN pg_stat_activity AS session ON session.pid = lock.pid
    WHERE lock.relation = 'public._prisma_migrations'::regclass AND lock.granted AND lock.mode <> 'AccessShareLock';
  RAISE EXCEPTION 'no right was changed: the table of migrations is locked by %', COALESCE(held.names, 'a session that has ended since')
    USING ERRCODE = 'lock_not_available',
          HINT = format('Let it finish, or end it with: %s Then run this again.', held.command);
END $$;
-- Every name below says its schema.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Roles ------------------------------------------------------------------------------------------

-- Roles belong to the whole server, so that another database may be making them at this moment.
DO $$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['afterhours_readonly', 'afterhours_jobs', 'afterhours_payees', 'afterhours_approvers',
                                'afterhours_tax', 'afterhours_operators'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
    IF EXISTS (
      SELECT FROM pg_roles WHERE rolname = wanted
        AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
    ) THEN
      RAISE EXCEPTION 'role % is there and is no group without rights of its own', wanted
        USING HINT = 'It may neither log in nor be a superuser, nor create roles or databases, replicate or bypass row security.';
    END IF;
  END LOOP;
END $$;

DO $$
DECLARE pair text[];
BEGIN
  FOREACH pair SLICE 1 IN ARRAY ARRAY[
    ['afterhours_readonly', 'afterhours_jobs'], ['afterhours_readonly', 'afterhours_payees'],
    ['afterhours_readonly', 'afterhours_approvers'], ['afterhours_readonly', 'afterhours_tax'],
    ['afterhours_jobs', 'afterhours_operators'], ['afterhours_payees', 'afterhours_operators'],
    ['afterhours_approvers', 'afterhours_operators'], ['afterhours_tax', 'afterhours_operators']
  ] LOOP
    IF NOT EXISTS (
      SELECT FROM pg_auth_members AS held
      WHERE held.roleid = pair[1]::regrole AND held.member = pair[2]::regrole
    ) THEN
      BEGIN
        EXECUTE format('GRANT %I TO %I', pair[1], pair[2]);
      EXCEPTION WHEN unique_violation THEN NULL;
      END;
    END IF;
  END LOOP;
END $$;

-- Database and schema ----------------------------------------------------------------------------

-- Nobody but the owner makes objects: no table of another's name before ours on a search path, no place to keep
-- copies. PostgreSQL before 15 lets everybody create in "public", and every version lets everybody make temporary tables.
DO $$
BEGIN
  EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC, afterhours_readonly, afterhours_jobs, afterhours_payees, '
                 'afterhours_approvers, afterhours_tax, afterhours_operators', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO afterhours_readonly', current_database());
END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC, afterhours_readonly, afterhours_jobs, afterhours_payees,
  afterhours_approvers, afterhours_tax, afterhours_operators;
GRANT USAGE ON SCHEMA public TO afterhours_readonly;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, afterhours_readonly, afterhours_jobs, afterhours_payees,
  afterhours_approvers, afterhours_tax, afterhours_operators;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, afterhours_readonly, afterhours_jobs, afterhours_payees,
  afterhours_approvers, afterhours_tax, afterhours_operators;

-- Large objects are a place to fill the disk from. PostgreSQL lets everybody make them, and only a superuser can take that away.
DO $$
DECLARE writes CONSTANT text[] := ARRAY['lo_creat(integer)', 'lo_create(oid)', 'lo_from_bytea(oid, bytea)', 'lo_open(oid, integer)',
  'lo_put(oid, bigint, bytea)', 'lo_truncate(integer, integer)', 'lo_truncate64(integer, bigint)', 'lo_unlink(oid)',
  'lowrite(integer, bytea)'];
DECLARE each text;
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    FOREACH each IN ARRAY writes LOOP EXECUTE format('REVOKE EXECUTE ON FUNCTION pg_catalog.%s FROM PUBLIC', each); END LOOP;
  ELSIF has_function_privilege('afterhours_readonly', 'pg_catalog.lo_create(oid)', 'EXECUTE') THEN
    RAISE NOTICE 'every login can still write large objects, and fill the disk with them. As a superuser: %',
      'REVOKE EXECUTE ON FUNCTION ' || array_to_string(writes, ', ') || ' FROM PUBLIC;';
  END IF;
END $$;

-- To read ----------------------------------------------------------------------------------------

GRANT SELECT ON ALL TABLES IN SCHEMA public TO afterhours_readonly;

-- A table of a later migration can be read at once. What may write to it is named below, and by nothing else.
DO $$
BEGIN
  EXECUTE format(
    'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT SELECT ON TABLES TO afterhours_readonly',
    (SELECT rolname FROM pg_roles JOIN pg_class ON relowner = pg_roles.oid WHERE pg_class.oid = 'public.job_runs'::regclass)
  );
END $$;

-- The jobs ---------------------------------------------------------------------------------------

-- A row that is locked needs the right to update a column of its table, so some columns stand here for that alone.

-- What surrounds every job: its lock, its record.
GRANT INSERT, UPDATE (owner, fence, acquired_at, expires_at) ON public.job_leases TO afterhours_jobs;
GRANT INSERT (id, job, owner, fence, commit, run_url), UPDATE (outcome, reason, exit_code, report, finished_at)
  ON public.job_runs TO afterhours_jobs;

-- Append-only. The times are the database's.
GRANT INSERT (actor, category, action, subject_type, subject_id, reason, organization_id, detail)
  ON public.audit_log TO afterhours_jobs;
GRANT INSERT ON public.ledger_accounts TO afterhours_jobs;
GRANT INSERT (id, key, kind, earning_id, payout_id, organization_id) ON public.ledger_transactions TO afterhours_jobs;
GRANT INSERT (transaction_id, account_id, amount_paise) ON public.ledger_entries TO afterhours_jobs;
GRANT INSERT (id, credit_paise, debit_paise, balance_paise, source_entity, source_id, provider_payout_id, at)
  ON public.provider_transactions TO afterhours_jobs;
GRANT INSERT (day, opening_paise, credits_paise, debits_paise, closing_paise, transactions)
  ON public.provider_days TO afterhours_jobs;
GRANT USAGE ON SEQUENCE public.audit_log_id_seq, public.ledger_entries_id_seq TO afterhours_jobs;

-- ops/prune deletes; nothing else does, but for slots. What is still open stays, and what is young, by triggers.
GRANT INSERT (kind, severity, subject_type, subject_id, details), UPDATE (last_seen_at, details, severity)
  ON public.findings TO afterhours_jobs;
GRANT DELETE ON public.job_runs, public.findings, public.outbox_mails TO afterhours_jobs;

-- Payouts. Amount and payee of one never change. A settled attempt stays as it is, by a trigger.
GRANT INSERT (id, consultant_id, organization_id, currency, gross_paise, amount_paise, status, approved_at, created_at),
  UPDATE (status, tries, tax_paise, net_paise, claimed_by, claim_fence, claimed_at, failure_code, failure_message,
          completed_at, updated_at)
  ON public.payouts TO afterhours_jobs;
GRANT INSERT, UPDATE (released_at) ON public.payout_items TO afterhours_jobs;
GRANT INSERT (id, payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id, mode, amount_paise,
              request_hash, request_body, fees_apart),
  UPDATE (state, settled_at, provider_payout_id, provider_status, fees_paise, fees_tax_paise, utr, http_status,
          failure_code, response_body, debited_elsewhere)
  ON public.payout_attempts TO afterhours_jobs;
GRANT UPDATE (status, updated_at) ON public.earnings TO afterhours_jobs;
GRANT UPDATE (provider_contact_id) ON public.consultants TO afterhours_jobs;
GRANT UPDATE (touched_at) ON public.payee_locks TO afterhours_jobs;
GRANT UPDATE (provider_fund_account_id) ON public.payout_accounts TO afterhours_jobs;
GRANT INSERT (payout_account_id, payout_id, reason, placed_by), UPDATE (mail_queued_at)
  ON public.payout_account_holds TO afterhours_jobs;

-- Tax. The profile is locked while its payee is assessed.
GRANT INSERT (consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise, rate_bps, section, code,
              reason, carried_forward_paise, certificate_id, certificate_gross_paise, status, reverses_id, pan_status,
              aadhaar, likely_to_exceed),
  UPDATE (status)
  ON public.tax_deductions TO afterhours_jobs;
GRANT USAGE ON SEQUENCE public.tax_deductions_sequence_seq TO afterhours_jobs;
GRANT UPDATE (updated_at) ON public.tax_profiles TO afterhours_jobs;

-- Checkouts and their slots. Seats are counted by triggers, which write as whoever writes the booking.
GRANT UPDATE (status, ended_because, ended_by, updated_at) ON public.bookings TO afterhours_jobs;
GRANT INSERT (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative),
  DELETE, UPDATE (tentative, updated_at)
  ON public.slots TO afterhours_jobs;
GRANT INSERT (appointment_id, booking_id, user_id, released_by) ON public.released_slots TO afterhours_jobs;
GRANT USAGE ON SEQUENCE public.released_slots_id_seq TO afterhours_jobs;
GRANT UPDATE (booked_seats, offered_seats) ON public.plans TO afterhours_jobs;
-- A second capture of an order is recorded by its card alone: who could add a leg of a wallet could refund to it.
GRANT INSERT (booking_id, user_id, organization_id, amount_paise, status, provider_payment_id, captured_at),
  UPDATE (status, provider_payment_id, captured_at, expired_at, asked_at, updated_at)
  ON public.payments TO afterhours_jobs;
GRANT INSERT (payment_id, kind, amount_paise), UPDATE (released_at) ON public.payment_legs TO afterhours_jobs;
GRANT UPDATE (balance_paise, updated_at) ON public.wallet_accounts TO afterhours_jobs;
GRANT UPDATE (used_paise) ON public.referral_credits TO afterhours_jobs;

-- Refunds, and what a consultant owes of them.
GRANT INSERT (id, payment_id, key, amount_paise, reason, requested_by, of_sale), UPDATE (status, settled_at)
  ON public.refunds TO afterhours_jobs;
GRANT INSERT (refund_id, payment_leg_id, amount_paise),
  UPDATE (state, idempotency_key, request_body, request_hash, provider_refund_id, claimed_by, claim_fence, claimed_at,
          sent_at, settled_at, failure_code, failure_message)
  ON public.refund_legs TO afterhours_jobs;
GRANT INSERT (earning_id, key, gross_paise, amount_paise) ON public.earning_refunds TO afterhours_jobs;
-- Refunds made outside, and disputes. The hold of a dispute comes and goes with its row, by a trigger.
GRANT INSERT (name, read_until), UPDATE (read_until) ON public.provider_lists TO afterhours_jobs;
GRANT INSERT (id, provider_payment_id, amount_paise, status, made_at, refund_leg_id, matched_at),
  UPDATE (status, refund_leg_id, seen_at, matched_at)
  ON public.provider_refunds TO afterhours_jobs;
GRANT INSERT (id, payment_id, provider_payment_id, amount_paise, deducted_paise, currency, status, phase, reason_code,
              respond_by, raised_at, unmatched, holds_consultant, ended_at),
  UPDATE (payment_id, amount_paise, deducted_paise, status, phase, reason_code, respond_by, unmatched, holds_consultant,
          updated_at, ended_at)
  ON public.disputes TO afterhours_jobs;
GRANT INSERT (consultant_id, earning_id, key, gross_paise, amount_paise),
  UPDATE (recovered_gross_paise, recovered_amount_paise)
  ON public.earning_recoveries TO afterhours_jobs;

-- Waitlist and mail.
GRANT UPDATE (status, notified_at, offer_ms, expires_at, ended_at) ON public.waitlist_entries TO afterhours_jobs;
GRANT INSERT (key, user_id, consultant_id, recipient, template, data, deliver_until),
  UPDATE (status, tries, due_at, claimed_by, claimed_until, last_error, settled_at)
  ON public.outbox_mails TO afterhours_jobs;

-- People -----------------------------------------------------------------------------------------

-- Ids, times and logins are the database's. Whatever they do is written down in the same transaction.
GRANT INSERT (actor, category, action, subject_type, subject_id, reason, organization_id, detail)
  ON public.audit_log TO afterhours_payees, afterhours_approvers, afterhours_tax;
GRANT USAGE ON SEQUENCE public.audit_log_id_seq TO afterhours_payees, afterhours_approvers, afterhours_tax;

-- `import:earnings`: a changed account is a new row, and the old one is no longer active. An earning is booked at once.
GRANT INSERT (external_ref, name) ON public.consultants TO afterhours_payees;
GRANT INSERT (consultant_id, category, resident, pan_status, pan, aadhaar),
  UPDATE (pan_relief_from, pan_relief_to, likely_to_exceed, updated_at) ON public.tax_profiles TO afterhours_payees;
GRANT INSERT (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)
  ON public.lower_deduction_certificates TO afterhours_payees;
GRANT INSERT (consultant_id, kind, ifsc, account_number, vpa), UPDATE (active)
  ON public.payout_accounts TO afterhours_payees;
GRANT INSERT (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise, paid_directly_paise)
  ON public.earnings TO afterhours_payees;
GRANT INSERT ON public.ledger_accounts TO afterhours_payees;
GRANT INSERT (key, kind, earning_id) ON public.ledger_transactions TO afterhours_payees;
GRANT INSERT (transaction_id, account_id, amount_paise) ON public.ledger_entries TO afterhours_payees;
GRANT USAGE ON SEQUENCE public.ledger_entries_id_seq TO afterhours_payees;
GRANT UPDATE (touched_at) ON public.command_locks TO afterhours_payees;
-- `payouts -- mail-address`
GRANT UPDATE (email) ON public.consultants TO afterhours_payees;

-- `payouts -- approve`, `reject` and `retry`: a job can't, since an approval has its time.
GRANT UPDATE (status, approved_at, tax_paise, net_paise, claimed_by, claim_fence, claimed_at, updated_at)
  ON public.payouts TO afterhours_approvers;
GRANT UPDATE (released_at) ON public.payout_items TO afterhours_approvers;
GRANT UPDATE (status, updated_at) ON public.earnings TO afterhours_approvers;
-- `payouts -- hold` and `release`
GRANT INSERT (consultant_id, kind, reason, placed_by), UPDATE (released_at, released_by)
  ON public.consultant_holds TO afterhours_approvers;
GRANT UPDATE (released_at, released_by) ON public.payout_account_holds TO afterhours_approvers;
GRANT UPDATE (touched_at) ON public.consultants TO afterhours_approvers;
-- `payouts -- organization`: its payouts need no approval.
GRANT INSERT (external_ref, name), UPDATE (payee_id) ON public.organizations TO afterhours_approvers;

-- `tds -- deposit`, and its booking.
GRANT INSERT (month, section, code, amount_paise, challan_reference, deposited_on, recorded_by, bsr_code, challan_serial, owed_paise)
  ON public.tax_deposits TO afterhours_tax;
GRANT INSERT ON public.ledger_accounts TO afterhours_tax;
GRANT INSERT (id, key, kind, payout_id, organization_id) ON public.ledger_transactions TO afterhours_tax;
GRANT INSERT (transaction_id, account_id, amount_paise) ON public.ledger_entries TO afterhours_tax;
GRANT USAGE ON SEQUENCE public.ledger_entries_id_seq TO afterhours_tax;
GRANT UPDATE (touched_at) ON public.command_locks TO afterhours_tax;
-- `tds -- relief`, `certificate` and `likely`: a certificate that is recorded can only end earlier.
GRANT UPDATE (pan_relief_from, pan_relief_to, likely_to_exceed, updated_at) ON public.tax_profiles TO afterhours_tax;
GRANT INSERT (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise), UPDATE (valid_to)
  ON public.lower_deduction_certificates TO afterhours_tax;

-- Beside all of these: what stops the jobs, and what calls a difference settled.
GRANT INSERT (id, phase, reason, until, updated_at, updated_by), UPDATE (phase, reason, until, updated_at, updated_by)
  ON public.maintenance TO afterhours_operators;
GRANT UPDATE (resolved_at, resolved_by, resolution) ON public.findings TO afterhours_operators;
-- `plans -- cancel`: a job can't, since it ends bookings that are paid.
GRANT UPDATE (cancelled_at, cancelled_by, cancel_reason) ON public.plans TO afterhours_operators;

COMMIT;
