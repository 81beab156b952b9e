import type { ClientBase } from "pg";
import type { Day } from "../support/calendar.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";
import {
  faultInRelief,
  faultInTerms,
  maskedNumber,
  parseCertificateNumber,
  parseRate,
  type CertificateTerms,
} from "../tds/papers/index.ts";
import type { ColumnName } from "./columns.ts";
import type { Problem } from "./problems.ts";
import type { ReadRules } from "./read-options.ts";
import type { RowReader } from "./row-reader.ts";
import { parseAmount, parseDay } from "./values.ts";
import type { ConsultantInFile, TaxPapers } from "./types.ts";

const CERTIFICATE = [
  "certificate_number",
  "certificate_rate",
  "certificate_from",
  "certificate_to",
  "certificate_ceiling",
] as const satisfies readonly ColumnName[];

/** The papers that a row states: days of relief, a certificate, the mark of a large year. */
export function readTaxPapers(
  reader: RowReader,
  { hasPan, rules }: { hasPan: boolean; rules: ReadRules },
): TaxPapers {
  const relief = readRelief(reader, rules);
  const certificate = readCertificate(reader, rules);
  if (!hasPan && relief)
    reader.refuse("pan_relief_from", "stands beside no PAN; there is none to relieve");
  if (!hasPan && certificate)
    reader.refuse(
      "certificate_number",
      "stands beside no PAN; a certificate counts only beside one",
    );
  return { relief, certificate, likelyToExceed: reader.yesNo("likely_to_exceed") };
}

function readRelief(reader: RowReader, rules: ReadRules): TaxPapers["relief"] {
  if (!isWhole(reader, ["pan_relief_from", "pan_relief_to"])) return undefined;
  const from = readDay(reader, "pan_relief_from", rules);
  const to = readDay(reader, "pan_relief_to", rules);
  if (from === undefined || to === undefined) return undefined;
  const fault = faultInRelief({ from, to });
  if (fault === undefined) return { from, to };
  reader.refuse("pan_relief_from", fault);
  return undefined;
}

function readCertificate(reader: RowReader, rules: ReadRules): CertificateTerms | undefined {
  if (!isWhole(reader, CERTIFICATE)) return undefined;
  const number = parseCertificateNumber(reader.text("certificate_number"));
  if (number === undefined)
    reader.refuse("certificate_number", "expected the 10 letters and digits of the certificate");
  const rateBps = parseRate(reader.text("certificate_rate"));
  if (rateBps === undefined)
    reader.refuse("certificate_rate", "expected per cent with at most two decimals, such as 0.05");
  const from = readDay(reader, "certificate_from", rules);
  const to = readDay(reader, "certificate_to", rules);
  const ceilingPaise = parseAmount(reader.text("certificate_ceiling"), rules.amounts);
  if (ceilingPaise === undefined)
    reader.refuse("certificate_ceiling", "expected rupees, such as 1000000.00, without grouping");
  if (number === undefined || rateBps === undefined || ceilingPaise === undefined) return undefined;
  if (from === undefined || to === undefined) return undefined;
  const terms = { number, rateBps, from, to, ceilingPaise };
  const fault = faultInTerms(terms);
  if (!fault) return terms;
  reader.refuse(`certificate_${fault.field}`, fault.message);
  return undefined;
}

/** Whether these cells are filled; some of them without the others is a problem of the ones that are empty. */
function isWhole(reader: RowReader, columns: readonly ColumnName[]): boolean {
  const empty = columns.filter((column) => !reader.has(column));
  if (empty.length === columns.length) return false;
  for (const column of empty)
    reader.refuse(column, `is empty beside ${columns.find((each) => reader.has(each)) ?? ""}`);
  return empty.length === 0;
}

function readDay(
  reader: RowReader,
  column: ColumnName,
  { dateFormat }: ReadRules,
): Day | undefined {
  const day = parseDay(reader.text(column), dateFormat);
  if (day !== undefined) return day;
  const expected =
    dateFormat === "dd/mm/yyyy"
      ? "DD/MM/YYYY, such as 01/04/2026"
      : "YYYY-MM-DD, such as 2026-04-01";
  reader.refuse(column, `expected ${expected}`);
  return undefined;
}

/** Text by which the papers of two rows are compared; `undefined` where the row leaves them open. */
export const PAPER_COLUMNS: readonly {
  column: ColumnName;
  what: string;
  value: (details: { papers?: TaxPapers }) => string | undefined;
}[] = [
  {
    column: "pan_relief_from",
    what: "the days of relief",
    value: ({ papers }) => papers?.relief && `${papers.relief.from} ${papers.relief.to}`,
  },
  {
    column: "certificate_number",
    what: "the certificate",
    value: ({ papers }) => papers?.certificate && termsText(papers.certificate),
  },
  {
    column: "likely_to_exceed",
    what: "the mark of a large year",
    value: ({ papers }) => papers?.likelyToExceed?.toString(),
  },
];

/** Joins the statements of two rows. */
export function mergePapers(
  known: TaxPapers | undefined,
  stated: TaxPapers | undefined,
): TaxPapers {
  return {
    relief: known?.relief ?? stated?.relief,
    certificate: known?.certificate ?? stated?.certificate,
    likelyToExceed: known?.likelyToExceed ?? stated?.likelyToExceed,
  };
}

function termsText({ number, rateBps, from, to, ceilingPaise }: CertificateTerms): string {
  return [number, rateBps, from, to, ceilingPaise].join(" ");
}

/** Papers of a file that are not on record yet, by the code of the consultant. */
export interface NewPapers {
  ref: string;
  relief?: { from: Day; to: Day };
  certificate?: CertificateTerms;
  likelyToExceed?: true;
}

interface OnRecord {
  ref: string;
  reliefFrom: Day | null;
  reliefTo: Day | null;
  likelyToExceed: boolean;
  certificates: { number: string; rateBps: number; from: Day; to: Day; ceilingPaise: string }[];
}

/** Compares the papers of a file with the record. An import never changes recorded papers. Reads only. */
export async function planPapers(
  client: ClientBase,
  consultants: Iterable<ConsultantInFile>,
): Promise<{ newPapers: NewPapers[]; problems: Problem[] }> {
  const stated = [...consultants].filter(({ details }) =>
    PAPER_COLUMNS.some(({ value }) => value(details) !== undefined),
  );
  const onRecord = await loadPapers(
    client,
    stated.map(({ details }) => details.ref),
  );
  const newPapers: NewPapers[] = [];
  const problems: Problem[] = [];
  for (const { line, details } of stated) {
    const { relief, certificate, likelyToExceed } = details.papers ?? {};
    const record = onRecord.get(details.ref);
    const found: NewPapers = { ref: details.ref };
    const differs = (column: ColumnName, message: string): void => {
      problems.push({ line, column, message });
    };
    if (relief) {
      if (!record || record.reliefFrom === null) found.relief = relief;
      else if (record.reliefFrom !== relief.from || record.reliefTo !== relief.to)
        differs(
          "pan_relief_from",
          "differs from the relief on record; change it with `tds -- relief`",
        );
    }
    if (certificate) {
      const verdict = compareCertificate(certificate, record?.certificates ?? []);
      if (verdict === "new") found.certificate = certificate;
      else if (verdict !== "known") differs("certificate_number", verdict);
    }
    if (likelyToExceed === true && record?.likelyToExceed !== true) found.likelyToExceed = true;
    if (likelyToExceed === false && record?.likelyToExceed === true)
      differs(
        "likely_to_exceed",
        "is no and the payee is marked; take the mark away with `tds -- likely end`",
      );
    if (Object.keys(found).length > 1) newPapers.push(found);
  }
  return { newPapers, problems };
}

function compareCertificate(
  stated: CertificateTerms,
  onRecord: OnRecord["certificates"],
): "new" | "known" | (string & {}) {
  const same = onRecord.find(({ number }) => number === stated.number);
  if (same) {
    const terms = { ...same, ceilingPaise: BigInt(same.ceilingPaise) };
    return termsText(terms) === termsText(stated)
      ? "known"
      : "is on record with other terms; `tds -- certificate list` shows them";
  }
  const overlaps = onRecord.some(({ from, to }) => from <= stated.to && stated.from <= to);
  return overlaps
    ? "overlaps another certificate on record; end that one, or add this one with `tds -- certificate add --beside`"
    : "new";
}

async function loadPapers(
  client: ClientBase,
  refs: readonly string[],
): Promise<Map<string, OnRecord>> {
  if (refs.length === 0) return new Map();
  const { rows } = await client.query<OnRecord>(
    `SELECT c.external_ref AS ref, t.pan_relief_from::text AS "reliefFrom", t.pan_relief_to::text AS "reliefTo",
            t.likely_to_exceed AS "likelyToExceed",
            COALESCE((SELECT jsonb_agg(jsonb_build_object('number', l.number, 'rateBps', l.rate_bps,
                        'from', l.valid_from, 'to', l.valid_to, 'ceilingPaise', l.ceiling_paise::text))
                      FROM lower_deduction_certificates l WHERE l.consultant_id = c.id), '[]') AS certificates
     FROM consultants c JOIN tax_profiles t ON t.consultant_id = c.id
     WHERE c.external_ref = ANY ($1::text[])`,
    [refs],
  );
  return new Map(rows.map((row) => [row.ref, row]));
}

/** Writes them once their consultants are there, each with an entry in the audit log. */
export async function writePapers(
  client: ClientBase,
  papers: readonly NewPapers[],
  actor: string,
): Promise<void> {
  if (papers.length === 0) return;
  await client.query(
    `UPDATE tax_profiles SET pan_relief_from = COALESCE(paper.relief_from, pan_relief_from),
            pan_relief_to = COALESCE(paper.relief_to, pan_relief_to),
            likely_to_exceed = likely_to_exceed OR paper.likely, updated_at = now()
     FROM jsonb_to_recordset($1::jsonb) AS paper (ref text, relief_from date, relief_to date, likely boolean)
     JOIN consultants c ON c.external_ref = paper.ref
     WHERE tax_profiles.consultant_id = c.id AND (paper.relief_from IS NOT NULL OR paper.likely)`,
    [toJson(papers.map((paper) => flat(paper)))],
  );
  await client.query(
    `INSERT INTO lower_deduction_certificates (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)
     SELECT c.id, paper.number, paper.rate, paper.valid_from, paper.valid_to, paper.ceiling
     FROM jsonb_to_recordset($1::jsonb)
       AS paper (ref text, number text, rate int, valid_from date, valid_to date, ceiling bigint)
     JOIN consultants c ON c.external_ref = paper.ref
     WHERE paper.number IS NOT NULL`,
    [toJson(papers.map((paper) => flat(paper)))],
  );
  await client.query(
    `INSERT INTO audit_log (actor, category, action, subject_type, subject_id, detail)
     SELECT $2, 'tax', 'papers-imported', 'consultant', c.id::text,
            jsonb_build_object('before', NULL, 'after', paper.detail)
     FROM jsonb_to_recordset($1::jsonb) AS paper (ref text, detail jsonb)
     JOIN consultants c ON c.external_ref = paper.ref`,
    [toJson(papers.map((paper) => ({ ref: paper.ref, detail: masked(paper) }))), actor],
  );
}

function flat({ ref, relief, certificate, likelyToExceed }: NewPapers): object {
  const ceiling: Paise | undefined = certificate?.ceilingPaise;
  return {
    ref,
    likely: likelyToExceed ?? false,
    relief_from: relief?.from ?? null,
    relief_to: relief?.to ?? null,
    number: certificate?.number ?? null,
    rate: certificate?.rateBps ?? null,
    valid_from: certificate?.from ?? null,
    valid_to: certificate?.to ?? null,
    ceiling: ceiling?.toString() ?? null,
  };
}

function masked({ relief, certificate, likelyToExceed }: NewPapers): object {
  return {
    ...(relief && { relief }),
    ...(certificate && {
      certificate: { ...certificate, number: maskedNumber(certificate.number) },
    }),
    ...(likelyToExceed && { likelyToExceed }),
  };
}
