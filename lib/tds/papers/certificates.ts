import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import type { Day } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";
import { faultInTerms, maskedNumber, type CertificateTerms } from "./certificate-terms.ts";
import { lockPayee, refuse, type Operator, type TaxPayee } from "./payee.ts";

export interface ListedCertificate extends CertificateTerms {
  payeeRef: string;
  payeeName: string;
  /** Gross already counted against the ceiling, also by payouts in flight. */
  usedPaise: Paise;
}

export interface CertificateChange {
  outcome: "changed" | "known";
  payeeRef: string;
  certificate: CertificateTerms;
  /** The PAN does not count now, so that the certificate does not either. */
  panDoesNotCount: boolean;
}

/**
 * Records a certificate. The same one again changes nothing.
 *
 * @throws {AfterhoursError} `CERTIFICATE_TERMS`, `CERTIFICATE_WITHOUT_PAN`, `CERTIFICATE_DIFFERS`,
 * `CERTIFICATE_OVERLAPS` unless `beside` is set
 */
export async function addCertificate(
  db: Db,
  {
    payee: name,
    certificate,
    beside,
    operator,
  }: { payee: string; certificate: CertificateTerms; beside: boolean; operator: Operator },
): Promise<CertificateChange> {
  const fault = faultInTerms(certificate);
  if (fault) throw refuse("CERTIFICATE_TERMS", fault.message, "Compare it with the paper.");
  return inTransaction(db, async (tx) => {
    const payee = await lockPayee(tx, name);
    const change = {
      payeeRef: payee.ref,
      certificate,
      panDoesNotCount: payee.panStatus !== "valid",
    };
    if (payee.panStatus === "missing") {
      throw refuse(
        "CERTIFICATE_WITHOUT_PAN",
        `payee ${payee.ref} has furnished no PAN; a certificate counts only beside one`,
        "Ask the payee for the PAN first.",
      );
    }
    const others = await readOf(tx, payee);
    const known = others.find(({ number }) => number === certificate.number);
    if (known) {
      if (isSame(known, certificate)) return { outcome: "known", ...change };
      throw refuse(
        "CERTIFICATE_DIFFERS",
        `certificate ${certificate.number} of payee ${payee.ref} is recorded with other terms`,
        "`npm run tds -- certificate list` shows them. A recorded certificate can only be ended.",
      );
    }
    const overlapping = others.find(
      ({ from, to }) => from <= certificate.to && certificate.from <= to,
    );
    if (overlapping && !beside) {
      throw refuse(
        "CERTIFICATE_OVERLAPS",
        `payee ${payee.ref} has certificate ${overlapping.number} from ${overlapping.from} to ${overlapping.to}, whose days overlap`,
        "If it was replaced, end it first. If both are valid, add this one with --beside: the earlier one is used up first.",
      );
    }
    await tx.execute`
      INSERT INTO lower_deduction_certificates (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)
      VALUES (${payee.consultantId}::uuid, ${certificate.number}, ${certificate.rateBps},
              ${certificate.from}::date, ${certificate.to}::date, ${certificate.ceilingPaise})`;
    await audit(tx, payee, {
      operator,
      action: "certificate-added",
      before: null,
      after: certificate,
    });
    return { outcome: "changed", ...change };
  });
}

/**
 * Lets a certificate end on an earlier day, as when it is cancelled.
 *
 * @throws {AfterhoursError} `UNKNOWN_CERTIFICATE`, `CERTIFICATE_TERMS`, `CERTIFICATE_USED` when a later credit was
 * taxed by it
 */
export async function endCertificate(
  db: Db,
  {
    payee: name,
    number,
    on,
    operator,
  }: { payee: string; number: string; on: Day; operator: Operator },
): Promise<CertificateChange> {
  return inTransaction(db, async (tx) => {
    const payee = await lockPayee(tx, name);
    const before = (await readOf(tx, payee)).find((each) => each.number === number);
    if (!before) {
      throw refuse(
        "UNKNOWN_CERTIFICATE",
        `payee ${payee.ref} has no certificate ${number}`,
        "`npm run tds -- certificate list` shows them.",
      );
    }
    const certificate = { ...before, to: on };
    const change = { payeeRef: payee.ref, certificate, panDoesNotCount: false };
    if (on === before.to) return { outcome: "known", ...change };
    if (on < before.from || on > before.to) {
      throw refuse(
        "CERTIFICATE_TERMS",
        `certificate ${number} is valid from ${before.from} to ${before.to}; it can end on one of these days`,
        "A longer certificate is a new one with a number of its own.",
      );
    }
    const lastUse = await readLastUse(tx, payee, number);
    if (lastUse !== null && lastUse > on) {
      throw refuse(
        "CERTIFICATE_USED",
        `a credit of ${lastUse} was taxed by certificate ${number} already`,
        "Let it end on that day or later, and settle the credits after its end with your accountant.",
      );
    }
    await tx.execute`
      UPDATE lower_deduction_certificates SET valid_to = ${on}::date
      WHERE consultant_id = ${payee.consultantId}::uuid AND number = ${number}`;
    await audit(tx, payee, { operator, action: "certificate-ended", before, after: certificate });
    return { outcome: "changed", ...change };
  });
}

/** Every certificate, by payee and first day. */
export async function listCertificates(db: DbSession): Promise<ListedCertificate[]> {
  return db.query<ListedCertificate[]>`
    SELECT payee.external_ref AS "payeeRef", payee.name AS "payeeName", certificate.number,
           certificate.rate_bps AS "rateBps", certificate.valid_from::text AS "from",
           certificate.valid_to::text AS "to", certificate.ceiling_paise AS "ceilingPaise",
           COALESCE(used.paise, 0)::bigint AS "usedPaise"
    FROM lower_deduction_certificates AS certificate
    JOIN consultants AS payee ON payee.id = certificate.consultant_id
    LEFT JOIN (
      SELECT certificate_id, sum(certificate_gross_paise) AS paise FROM tax_deductions
      WHERE certificate_id IS NOT NULL GROUP BY 1
    ) AS used ON used.certificate_id = certificate.id
    ORDER BY payee.external_ref, certificate.valid_from, certificate.number`;
}

async function readOf(tx: DbSession, { consultantId }: TaxPayee): Promise<CertificateTerms[]> {
  return tx.query<CertificateTerms[]>`
    SELECT number, rate_bps AS "rateBps", valid_from::text AS "from", valid_to::text AS "to",
           ceiling_paise AS "ceilingPaise"
    FROM lower_deduction_certificates WHERE consultant_id = ${consultantId}::uuid
    ORDER BY valid_from, number`;
}

/** The last day of a credit that counts against it. */
async function readLastUse(
  tx: DbSession,
  { consultantId }: TaxPayee,
  number: string,
): Promise<Day | null> {
  const [row] = await tx.query<{ day: Day | null }[]>`
    SELECT max(line.credited_on)::text AS day
    FROM tax_deductions AS line
    JOIN lower_deduction_certificates AS certificate ON certificate.id = line.certificate_id
    WHERE certificate.consultant_id = ${consultantId}::uuid AND certificate.number = ${number}
      AND line.reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)`;
  return row?.day ?? null;
}

/** Whether two papers say the same. */
function isSame(a: CertificateTerms, b: CertificateTerms): boolean {
  return (
    a.number === b.number &&
    a.rateBps === b.rateBps &&
    a.from === b.from &&
    a.to === b.to &&
    a.ceilingPaise === b.ceilingPaise
  );
}

async function audit(
  tx: DbSession,
  payee: TaxPayee,
  change: {
    operator: Operator;
    action: string;
    before: CertificateTerms | null;
    after: CertificateTerms;
  },
): Promise<void> {
  const { operator, action, before, after } = change;
  await recordAudit(tx, {
    actor: operator.by,
    category: "tax",
    action,
    subjectType: "consultant",
    subjectId: payee.consultantId,
    reason: operator.reason,
    detail: { before: before && masked(before), after: masked(after) },
  });
}

function masked(terms: CertificateTerms): CertificateTerms {
  return { ...terms, number: maskedNumber(terms.number) };
}
