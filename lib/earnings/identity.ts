import type { ClientBase } from "pg";
import { accountKey } from "./agreement.ts";
import { batches } from "./batches.ts";
import { keptForm } from "./code-form.ts";
import type { ColumnName } from "./columns.ts";
import type { Problem } from "./problems.ts";
import type { ConsultantDetails, ConsultantInFile, PanStatus, PayeeCategory } from "./types.ts";

/** Facts that belong to a PAN, for every code of its holder. */
interface OfPan {
  code: string;
  category: PayeeCategory;
  panStatus: PanStatus;
}

/** Contradictions between two codes of one PAN. Shows codes, never the PAN. */
function panProblems(line: number, own: OfPan, other: OfPan & { where: string }): Problem[] {
  const differs = (column: ColumnName, what: string): Problem => ({
    line,
    column,
    message: `${what} differs from that of ${other.code} (${other.where}), who has the same PAN: one PAN is one person`,
  });
  return [
    ...(own.category === other.category ? [] : [differs("category", "the category")]),
    ...(own.panStatus === other.panStatus ? [] : [differs("pan_status", "the PAN's status")]),
  ];
}

/** The status that a payee with a PAN gets where the file leaves it open. */
function statusOf({ panStatus, pan }: ConsultantDetails): PanStatus {
  return panStatus ?? (pan === null ? "missing" : "valid");
}

/** Codes that have one PAN, or are paid to one account: sorted, of which one at least is new in this. */
export interface SharedIdentities {
  pan: string[][];
  account: string[][];
}

interface Holder {
  code: string;
  pan: string | null;
  category: PayeeCategory | null;
  panStatus: PanStatus | null;
  account: string | null;
}

/**
 * Compares the payees of a file with each other and with those on record. Two categories or states of one PAN
 * are problems. A shared PAN or account is no problem, and is returned. `isNew`: values that the file adds or
 * changes.
 */
export async function compareIdentities(
  client: ClientBase,
  consultants: readonly ConsultantInFile[],
  isNew: (code: string) => boolean,
): Promise<{ problems: Problem[]; shared: SharedIdentities }> {
  const problems: Problem[] = [];
  const codes = new Set(consultants.map(({ details }) => details.ref));
  const onRecord = (await loadHolders(client, consultants)).filter(
    ({ code }) => !codes.has(keptForm(code)),
  );
  const byPan = groupBy(
    onRecord.filter(({ pan }) => pan !== null),
    ({ pan }) => pan ?? "",
  );
  const firstOfPan = new Map<string, ConsultantInFile>();
  const pans = new Map<string, Set<string>>();
  const accounts = new Map<string, Set<string>>();
  for (const inFile of consultants) {
    const { line, details } = inFile;
    if (details.pan !== null) {
      const own = { code: details.ref, category: details.category, panStatus: statusOf(details) };
      const first = firstOfPan.get(details.pan);
      const others = [
        ...(byPan.get(details.pan) ?? []).map((other) => ({ ...other, where: "on record" })),
        ...(first
          ? [
              {
                code: first.details.ref,
                category: first.details.category,
                panStatus: statusOf(first.details),
                where: `line ${first.line}`,
              },
            ]
          : []),
      ];
      for (const { code, category, panStatus, where } of others) {
        if (category !== null && panStatus !== null)
          problems.push(...panProblems(line, own, { code, category, panStatus, where }));
      }
      if (first === undefined) firstOfPan.set(details.pan, inFile);
      add(pans, details.pan, details.ref);
    }
    add(accounts, accountKey(details.account), details.ref);
  }
  for (const { code, pan, account } of onRecord) {
    if (pan !== null && pans.has(pan)) add(pans, pan, code);
    if (account !== null && accounts.has(account)) add(accounts, account, code);
  }
  return {
    problems,
    shared: { pan: sharedBy(pans, isNew), account: sharedBy(accounts, isNew) },
  };
}

/** Writes down that payees of an import share a PAN or an account, by their codes. */
export async function auditShared(
  client: ClientBase,
  { pan, account }: SharedIdentities,
  actor: string,
): Promise<void> {
  const rows = [
    ...pan.map((consultants) => ({ action: "pan-shared", consultants })),
    ...account.map((consultants) => ({ action: "account-shared", consultants })),
  ];
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO audit_log (actor, category, action, subject_type, subject_id, detail)
     SELECT $1, 'tax', entry.action, 'consultant', entry.consultants ->> 0,
            jsonb_build_object('consultants', entry.consultants)
     FROM jsonb_to_recordset($2::jsonb) AS entry (action text, consultants jsonb)`,
    [actor, JSON.stringify(rows)],
  );
}

function sharedBy(
  groups: ReadonlyMap<string, ReadonlySet<string>>,
  isNew: (code: string) => boolean,
): string[][] {
  return [...groups.values()]
    .filter((codes) => codes.size > 1 && [...codes].some((code) => isNew(code)))
    .map((codes) => [...codes].sort());
}

function add(groups: Map<string, Set<string>>, key: string, code: string): void {
  const group = groups.get(key);
  if (group) group.add(code);
  else groups.set(key, new Set([code]));
}

const HOLDERS = `
  SELECT c.external_ref AS code, t.pan, t.category::text, t.pan_status::text AS "panStatus",
         a.kind::text, a.ifsc, a.account_number, a.vpa
  FROM consultants c
  LEFT JOIN tax_profiles t ON t.consultant_id = c.id
  LEFT JOIN payout_accounts a ON a.consultant_id = c.id AND a.active
  WHERE c.id IN (
    SELECT consultant_id FROM tax_profiles WHERE pan = ANY ($1::text[])
    UNION
    SELECT consultant_id FROM payout_accounts
    WHERE active AND (account_number = ANY ($2::text[]) OR lower(vpa) = ANY ($3::text[])))`;

interface HolderRow extends Omit<Holder, "account"> {
  kind: string | null;
  ifsc: string | null;
  account_number: string | null;
  vpa: string | null;
}

/** All consultants on record with a PAN or an account of the file. */
async function loadHolders(
  client: ClientBase,
  consultants: readonly ConsultantInFile[],
): Promise<Holder[]> {
  const holders = new Map<string, Holder>();
  for (const batch of batches(consultants)) {
    const accounts = batch.map(({ details }) => details.account);
    const { rows } = await client.query<HolderRow>(HOLDERS, [
      batch.flatMap(({ details }) => details.pan ?? []),
      accounts.flatMap((account) => (account.kind === "bank_account" ? account.accountNumber : [])),
      accounts.flatMap((account) => (account.kind === "vpa" ? account.vpa : [])),
    ]);
    for (const { kind, ifsc, account_number: accountNumber, vpa, ...row } of rows) {
      const account =
        kind === null
          ? null
          : kind === "vpa"
            ? accountKey({ kind, vpa: (vpa ?? "").toLowerCase() })
            : accountKey({
                kind: "bank_account",
                ifsc: ifsc ?? "",
                accountNumber: accountNumber ?? "",
              });
      holders.set(row.code, { ...row, account });
    }
  }
  return [...holders.values()];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
