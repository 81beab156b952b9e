import { sql, type DbSession } from "../db/client.ts";
import { IS_TOO_LATE, OFFER_ENDS, withItsOffer } from "./offer-of-mail.ts";

/** A mail of the outbox, with its reader as he is now. Operators have no name. */
export interface DueMail {
  id: string;
  template: string;
  data: unknown;
  tries: number;
  name: string;
  email: string;
  /** Its time has passed, its reader is no longer active, or has no address any more. */
  lapsed: boolean;
}

/** Which row, and by which claim it is held. */
export interface Claim {
  mailId: string;
  claimId: string;
}

type Row = DueMail & { offerEnds: Date | null };

/** A mail of an offer shows the end that the offer has if it is sent now. */
function asShown({ offerEnds, ...mail }: Row): DueMail {
  if (offerEnds === null || typeof mail.data !== "object") return mail;
  return { ...mail, data: { ...mail.data, expiresAt: offerEnds.toISOString() } };
}

interface DueCount {
  /** The database's clock at the count, with all its digits. Mail that is due later is left to a later run. */
  asOf: string;
  due: number;
  /** Of these, in the hands of another run. */
  held: number;
}

/** The user as he is now; a mail to the operators has their address, and never a user. */
const READER = sql`
  COALESCE(reader.name, payee.name, '') AS name, COALESCE(reader.email, payee.email, mail.recipient, '') AS email,
  (NOT COALESCE(reader.active, mail.consultant_id IS NULL OR payee.email IS NOT NULL) OR ${IS_TOO_LATE}) AS lapsed,
  ${OFFER_ENDS} AS "offerEnds"`;

/** Counts due mail. */
export async function countDue(db: DbSession): Promise<DueCount> {
  const [row] = await db.query<DueCount[]>`
    SELECT now()::text AS "asOf", count(*)::int AS due,
           (count(*) FILTER (WHERE claimed_until > now()))::int AS held
    FROM outbox_mails WHERE status = 'QUEUED' AND due_at <= now()`;
  return row ?? { asOf: "now", due: 0, held: 0 };
}

/** Counts due mail that no run has claimed. */
export async function countWaiting(db: DbSession, asOf: string): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM outbox_mails
    WHERE status = 'QUEUED' AND due_at <= ${asOf}::timestamptz
      AND (claimed_until IS NULL OR claimed_until <= now())`;
  return row?.count ?? 0;
}

/**
 * Claims the mail that has been due for longest. Claims one at a time, and the mail is sent at once: a run that
 * dies delays no other mail, and the lease need outlast one sending only. Of several runs at once none waits for
 * another, and no mail is claimed twice. The claim of a dead run is void once its lease has ended.
 *
 * A hundred at once would take 0.04 ms of the processor each, where one takes 1.2: a fifth of the time for a
 * mail. Four sessions that wait for each other's row make half as many claims a second. Of claims without a lock
 * three in five fail, since another session was faster.
 */
export async function claimNext(
  db: DbSession,
  { claimId, asOf, leaseMs }: { claimId: string; asOf: string; leaseMs: number },
): Promise<DueMail | undefined> {
  const [mail] = await db.query<Row[]>`
    WITH next AS (
      SELECT id, key, user_id, consultant_id FROM outbox_mails
      WHERE status = 'QUEUED' AND due_at <= ${asOf}::timestamptz
        AND (claimed_until IS NULL OR claimed_until <= now())
      ORDER BY due_at, id LIMIT 1
      FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox_mails AS mail
    SET claimed_by = ${claimId}::uuid, claimed_until = now() + ${leaseMs}::bigint * interval '1 millisecond'
    FROM next
    LEFT JOIN users AS reader ON reader.id = next.user_id
    LEFT JOIN consultants AS payee ON payee.id = next.consultant_id
    ${withItsOffer(sql`next`)}
    WHERE mail.id = next.id
    RETURNING mail.id, mail.template, mail.data, mail.tries, ${READER}`;
  return mail && asShown(mail);
}

/** The mail that a run would claim, for a dry run. */
export async function readDue(
  db: DbSession,
  { asOf, limit }: { asOf: string; limit: number },
): Promise<DueMail[]> {
  const mails = await db.query<Row[]>`
    SELECT mail.id, mail.template, mail.data, mail.tries, ${READER}
    FROM outbox_mails AS mail
    LEFT JOIN users AS reader ON reader.id = mail.user_id
    LEFT JOIN consultants AS payee ON payee.id = mail.consultant_id
    ${withItsOffer(sql`mail`)}
    WHERE mail.status = 'QUEUED' AND mail.due_at <= ${asOf}::timestamptz
      AND (mail.claimed_until IS NULL OR mail.claimed_until <= now())
    ORDER BY mail.due_at, mail.id LIMIT ${limit}`;
  return mails.map(asShown);
}

// Each of these says whether the row was still held by this claim; if not, another run has taken it over.

export async function settleSent(db: DbSession, { mailId, claimId }: Claim): Promise<boolean> {
  const hit = await db.execute`
    UPDATE outbox_mails
    SET status = 'SENT', settled_at = now(), claimed_by = NULL, claimed_until = NULL, last_error = NULL
    WHERE id = ${mailId}::uuid AND claimed_by = ${claimId}::uuid AND status = 'QUEUED'`;
  return hit === 1;
}

export async function settleLapsed(db: DbSession, { mailId, claimId }: Claim): Promise<boolean> {
  const hit = await db.execute`
    UPDATE outbox_mails
    SET status = 'LAPSED', settled_at = now(), claimed_by = NULL, claimed_until = NULL
    WHERE id = ${mailId}::uuid AND claimed_by = ${claimId}::uuid AND status = 'QUEUED'`;
  return hit === 1;
}

export async function settleGivenUp(
  db: DbSession,
  { mailId, claimId, error }: Claim & { error: string },
): Promise<boolean> {
  const hit = await db.execute`
    UPDATE outbox_mails
    SET status = 'GAVE_UP', settled_at = now(), claimed_by = NULL, claimed_until = NULL,
        tries = tries + 1, last_error = ${error}
    WHERE id = ${mailId}::uuid AND claimed_by = ${claimId}::uuid AND status = 'QUEUED'`;
  return hit === 1;
}

export async function putOff(
  db: DbSession,
  { mailId, claimId, error, waitMs }: Claim & { error: string; waitMs: number },
): Promise<boolean> {
  const hit = await db.execute`
    UPDATE outbox_mails
    SET due_at = now() + ${waitMs}::bigint * interval '1 millisecond', claimed_by = NULL,
        claimed_until = NULL, tries = tries + 1, last_error = ${error}
    WHERE id = ${mailId}::uuid AND claimed_by = ${claimId}::uuid AND status = 'QUEUED'`;
  return hit === 1;
}

/** Gives it back as it was: due, and no try the more. */
export async function release(
  db: DbSession,
  { mailId, claimId, error }: Claim & { error: string | null },
): Promise<boolean> {
  const hit = await db.execute`
    UPDATE outbox_mails
    SET claimed_by = NULL, claimed_until = NULL, last_error = COALESCE(${error}, last_error)
    WHERE id = ${mailId}::uuid AND claimed_by = ${claimId}::uuid AND status = 'QUEUED'`;
  return hit === 1;
}
