-- Who an entry of the audit log names is a claim of whoever ran the command. The login of the session is not: it is
-- written by the database, and no role of ours may set it. Entries from before stay without one.

ALTER TABLE "audit_log" ADD COLUMN     "login" TEXT;
ALTER TABLE "audit_log" ALTER COLUMN "login" SET DEFAULT SESSION_USER;
