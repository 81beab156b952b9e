import type { ClientBase } from "pg";
import { findLockHolders } from "../db/lock-holders.ts";
import { SQLSTATE } from "../db/sqlstate.ts";
import { AfterhoursError, errorCode } from "../support/errors.ts";
import type { Paise } from "../support/money.ts";
import { approvePayouts, noPayouts, totalPayouts, type PayoutTotals } from "./approve.ts";
import { auditImport, type Importer } from "./audit-import.ts";
import { endedApprovals, type EndedApproval } from "./ended-approvals.ts";
import { auditShared, type SharedIdentities } from "./identity.ts";
import { planImport, type HeldConsultant, type ImportPlan } from "./plan.ts";
import type { Problem } from "./problems.ts";
import type { EarningsFile } from "./read-file.ts";
import type { EarningTotals } from "./types.ts";
import { writePapers } from "./tax-papers.ts";
import { writePlan } from "./write.ts";

export interface ImportOptions {
  /** Checks everything in a read-only transaction and writes nothing. Default false. */
  dryRun?: boolean;
  /** Puts the file's earnings into approved payouts at once, one for each consultant. Default false. */
  approve?: boolean;
  /** Bank details that differ become the active ones; otherwise they are a problem. Default false. */
  updateAccounts?: boolean;
  /** Takes sales of which some has gone back to the buyer already; otherwise they are a problem. Default false. */
  althoughRefunded?: boolean;
  /** For the audit log. Default: the login of the session. */
  importer?: Importer;
}

export interface ImportReport {
  /** `refused`: the file has problems and nothing was written. `planned`: a dry run found none. */
  outcome: "imported" | "planned" | "refused";
  problems: Problem[];
  rows: number;
  consultants: { new: number; known: number };
  earnings: { new: number; known: number };
  /** Payout accounts that took the place of another. */
  accountsReplaced: number;
  /** Payouts that were approved for the account before: the next pay run takes them back to PENDING. */
  endedApprovals: readonly EndedApproval[];
  /** Consultants whose name on record is not the one in the file; the record is kept. */
  namesKept: number;
  /** Rows that are imported but cannot be paid yet. */
  warnings: Problem[];
  /** Values that look cut by a spreadsheet and were confirmed. */
  accepted: number;
  /** Rows that have problems: they are in none of the sums. */
  rowsLeftOut: number;
  /** Of all good rows, new and known. */
  fileTotals: EarningTotals;
  newTotals: EarningTotals;
  /** Payees that share a PAN or an account from this import on, by code. */
  shared: SharedIdentities;
  /** Consultants of the file with a hold: their earnings are READY and get no payout. */
  onHold: readonly HeldConsultant[];
  payouts: PayoutTotals;
}

/**
 * Brings a file's earnings in, in one transaction: all of it or nothing. The same file again changes
 * nothing. Imports wait for one another, so that two of the same file end like one.
 *
 * `client` must not be inside a transaction.
 *
 * @throws AfterhoursError `IMPORT_CONFLICT` when another writer came in between, `IMPORT_BUSY` when
 *   another import does not end; nothing is written
 */
export async function importEarnings(
  client: ClientBase,
  file: EarningsFile,
  {
    dryRun = false,
    approve = false,
    updateAccounts = false,
    althoughRefunded = false,
    importer,
  }: ImportOptions = {},
): Promise<ImportReport> {
  const write = !dryRun && file.problems.length === 0;
  await client.query(write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    if (write) await prepareToWrite(client);
    const plan = await planImport(client, file, { updateAccounts, althoughRefunded });
    const problems = [...file.problems, ...plan.problems];
    const ended = await endedApprovals(client, plan.newAccounts);
    if (problems.length > 0 || !write) {
      await client.query("ROLLBACK");
      const payouts = approve ? plannedPayouts(plan) : noPayouts;
      const outcome = problems.length > 0 ? "refused" : "planned";
      return report({ outcome, file, plan, problems, payouts, ended });
    }
    const written = await writePlan(client, plan);
    const by = importer ?? (await importerByLogin(client));
    await writePapers(client, plan.newPapers, by.by);
    await auditShared(client, plan.shared, by.by);
    const references = [...plan.newEarnings, ...plan.knownEarnings].map(
      ({ bookingReference }) => bookingReference,
    );
    const { payouts: approved, ...payouts } = approve
      ? await approvePayouts(client, references)
      : { ...noPayouts, payouts: [] };
    await auditImport(client, { importer: by, plan, written, payouts: approved });
    await client.query("COMMIT");
    return report({ outcome: "imported", file, plan, problems, payouts, ended });
  } catch (error) {
    // The first error is the one to report; a lost session has already rolled back.
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function importerByLogin(client: ClientBase): Promise<Importer> {
  const { rows } = await client.query<{ login: string }>("SELECT session_user AS login");
  return { by: `login ${rows[0]?.login ?? ""}`.trim(), reason: null };
}

/**
 * Waits for other imports. The lock is a row, so that readers cannot lock it. A large file takes longer than the
 * session's usual limits allow.
 */
async function prepareToWrite(client: ClientBase): Promise<void> {
  await client.query("SET LOCAL lock_timeout = '5min'");
  await client.query("SET LOCAL statement_timeout = '10min'");
  try {
    const { rowCount } = await client.query(
      "SELECT 1 FROM command_locks WHERE command = 'import-earnings' FOR UPDATE",
    );
    if (rowCount !== 1) throw new Error("command_locks has no row for import-earnings");
  } catch (error) {
    if (errorCode(error) !== SQLSTATE.lockNotAvailable) throw error;
    await client.query("ROLLBACK");
    const { names, command } = await findLockHolders(client, { table: "public.command_locks" });
    throw new AfterhoursError(
      "IMPORT_BUSY",
      `another import has been running for five minutes${names === "" ? "" : `: ${names}`}; nothing was imported`,
      {
        cause: error,
        remedy: `Wait until it is done${command === "" ? "" : `, or end it with: ${command}`} Then run this one again.`,
      },
    );
  }
}

/** The payouts that `approvePayouts` would make after this plan was written. */
function plannedPayouts({
  newEarnings,
  knownEarnings,
  paidDirectly,
  knownConsultants,
  onHold,
}: ImportPlan): PayoutTotals {
  const unpaid = new Set([
    ...knownConsultants.filter((known) => known.leftToBatch).map(({ ref }) => ref),
    ...onHold.map(({ ref }) => ref),
  ]);
  const onRecord = [...knownEarnings, ...paidDirectly].filter(({ free }) => free);
  const sums = new Map<string, { grossPaise: Paise; amountPaise: Paise }>();
  for (const earning of [...newEarnings, ...onRecord]) {
    if (unpaid.has(earning.consultantRef)) continue;
    const sum = sums.get(earning.consultantRef) ?? { grossPaise: 0n, amountPaise: 0n };
    sum.grossPaise += earning.grossPaise;
    sum.amountPaise += earning.amountPaise;
    sums.set(earning.consultantRef, sum);
  }
  // Earnings that were all paid directly make no payout: their tax is taken from the next payout.
  return totalPayouts([...sums.values()].filter(({ amountPaise }) => amountPaise > 0n));
}

function report({
  outcome,
  file,
  plan,
  problems,
  payouts,
  ended,
}: {
  outcome: ImportReport["outcome"];
  file: EarningsFile;
  plan: ImportPlan;
  problems: Problem[];
  payouts: PayoutTotals;
  ended: readonly EndedApproval[];
}): ImportReport {
  return {
    outcome,
    problems,
    rows: file.rowCount,
    consultants: { new: plan.newConsultants.length, known: plan.knownConsultants.length },
    earnings: { new: plan.newEarnings.length, known: plan.knownEarnings.length },
    accountsReplaced: plan.replacedAccounts,
    endedApprovals: ended,
    namesKept: plan.namesKept,
    warnings: plan.warnings,
    accepted: file.accepted,
    rowsLeftOut: file.rowCount - file.rows.length,
    fileTotals: total(file.rows),
    newTotals: total(plan.newEarnings),
    shared: plan.shared,
    onHold: plan.onHold,
    payouts,
  };
}

function total(earnings: Iterable<EarningTotals>): EarningTotals {
  const totals = { grossPaise: 0n, platformFeePaise: 0n, amountPaise: 0n };
  for (const { grossPaise, platformFeePaise, amountPaise } of earnings) {
    totals.grossPaise += grossPaise;
    totals.platformFeePaise += platformFeePaise;
    totals.amountPaise += amountPaise;
  }
  return totals;
}
