import { inPages } from "../../db/rows.ts";
import { recordFinding, type NewFinding } from "../../findings/index.ts";
import { readStatement } from "../../statement/index.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { type CoreResult, type RunFault, type Verdict, failed } from "../../support/verdict.ts";
import { REFUSED_ACCOUNT } from "../state/account-holds.ts";
import { holdEnds, heldAmong, heldMessage, HOLD_REMEDY } from "../state/on-hold.ts";
import { namePayees } from "../state/payee-refs.ts";
import type { RunPorts } from "../state/ports.ts";
import { ClaimLostError } from "../state/release.ts";
import { reversePayout } from "../state/reverse.ts";
import { settleFound, type Settler } from "../state/settle-found.ts";
import { compare, isLive, type Comparison, type OurAttempt } from "./compare.ts";
import {
  findAttempts,
  knownAttemptsAfter,
  readPeriod,
  unmatchedMoves,
  type AttemptCursor,
  type UnmatchedMove,
} from "./our-attempts.ts";
import {
  addItem,
  countFinding,
  emptyReconcileReport,
  type ReconcileItem,
  type ReconcileReport,
} from "./report.ts";
import type { ReconcileSettings } from "./settings.ts";
import { faultOf } from "../../provider/faults.ts";
import { inFlightAtTheEnd, inFlightNote } from "../state/in-flight.ts";
import {
  ruleOf,
  walkList,
  type ProviderPayout,
  type Transaction,
  type Walk,
} from "../../provider/index.ts";

type ReconcilePorts = Omit<RunPorts<ReconcileSettings>, "limit">;

interface Run {
  ports: ReconcilePorts;
  report: ReconcileReport;
  settler: Settler;
  /** Ids on the provider's list. */
  seen: Set<string>;
  /** The provider's collections of fees, on a current account. */
  feePayoutIds: Set<string>;
  /** Payouts that this run has changed (in a dry run: would change), or told a person of. */
  handled: Set<string>;
}

const ACTOR = "job:payouts/reconcile-payout-status";

/**
 * Compares the provider's list of a period with our attempts, both ways. Newer states of the provider move our
 * records forward along the graph; any other difference is a finding for a person. Then reads the account's own
 * transactions and closes its days.
 */
export async function reconcilePayoutStatus(
  ports: ReconcilePorts,
): Promise<CoreResult<ReconcileReport>> {
  const report = emptyReconcileReport(ports.dryRun);
  const verdict = await compareAll(ports, report);
  await namePayees(ports.db, report.items);
  return { verdict, report };
}

async function compareAll(ports: ReconcilePorts, report: ReconcileReport): Promise<Verdict> {
  const settler = { ...ports, actor: ACTOR };
  const run: Run = {
    ports,
    report,
    settler,
    seen: new Set(),
    handled: new Set(),
    feePayoutIds: new Set(),
  };
  const period = await readPeriod(ports.db, ports.settings);

  const walk = await walkList(
    (page) =>
      ports.gateway.listPayouts({ fromMs: period.fromMs, ...page }, { signal: ports.signal }),
    { signal: ports.signal, onPage: (page, httpStatus) => comparePage(run, page, httpStatus) },
  );
  if (walk.kind !== "complete") return endOf(walk);
  const missing = await askForMissing(run, period.from);
  if (missing) return missing;

  const statement = await readStatement({
    ...ports,
    from: period.recentFrom,
    feePayoutIds: [...run.feePayoutIds],
    find: (finding) => find(run, finding, finding.subjectId),
  });
  report.statement = statement.report;
  if (statement.walk.kind !== "complete") return endOf(statement.walk);
  const unusable = await followMoney(run, statement.transactions);
  if (unusable) return unusable;
  report.inFlight = await inFlightAtTheEnd(ports.db, report.inFlight);
  return judge(report);
}

function endOf(walk: Exclude<Walk, { kind: "complete" }>): Verdict {
  return walk.kind === "interrupted" ? { kind: "interrupted" } : failed(faultOf(walk.answer));
}

async function comparePage(run: Run, page: ProviderPayout[], httpStatus: number): Promise<void> {
  const { ports, report, seen } = run;
  const attempts = await findAttempts(ports.db, page);
  const byReference = new Map(attempts.map((attempt) => [attempt.referenceId, attempt]));
  const byId = new Map(attempts.map((attempt) => [attempt.providerPayoutId, attempt]));
  for (const theirs of page) {
    if (ports.signal.aborted) return;
    report.read++;
    seen.add(theirs.id);
    const ours = byId.get(theirs.id) ?? byReference.get(theirs.referenceId ?? "");
    if (!ours && isFeeCollection(run, theirs)) {
      report.feeCollections++;
      run.feePayoutIds.add(theirs.id);
    } else if (ours) await compareOne(run, ours, { theirs, httpStatus });
    else await withoutRow(run, theirs);
  }
  ports.progress.update(report.read, report.read);
}

/** By its purpose, and only of a kind of account that has such payouts: anybody else's is a finding. */
function isFeeCollection({ ports }: Run, { purpose }: ProviderPayout): boolean {
  return ports.gateway.accountKind === "current" && purpose === FEE_PURPOSE;
}

/** UNVERIFIED: the documentation says that fees appear as a payout, and not by which purpose it is known. */
const FEE_PURPOSE = "rzp_fees";

/** A payout of the provider without a record of ours. */
async function withoutRow(run: Run, theirs: ProviderPayout): Promise<void> {
  const isOurForm = /^[0-9a-f-]{36}-[0-9]+$/.test(theirs.referenceId ?? "");
  const isCritical = isOurForm && isLive(theirs);
  await find(
    run,
    {
      kind: isOurForm ? "provider-payout-without-row" : "foreign-provider-payout",
      severity: isCritical ? "critical" : "warning",
      subjectType: "provider-payout",
      subjectId: theirs.id,
      details: {
        status: theirs.statusText,
        amountPaise: theirs.amountPaise,
        ...(isOurForm ? { referenceId: theirs.referenceId } : {}),
      },
    },
    theirs.id,
  );
}

async function compareOne(
  run: Run,
  ours: OurAttempt,
  { theirs, httpStatus }: { theirs: ProviderPayout; httpStatus: number },
): Promise<void> {
  const { report } = run;
  const { payoutId } = ours;
  const comparison = compare(ours, theirs, run.ports.gateway.accountKind);
  switch (comparison.kind) {
    case "same":
    case "behind":
      report[comparison.kind]++;
      return;
    case "settle":
      return settle(run, ours, { theirs, httpStatus });
    case "reverse":
      return reverse(run, ours, theirs);
    case "finding":
      return find(
        run,
        {
          ...comparison.finding,
          subjectType: "payout",
          subjectId: payoutId,
          details: {
            referenceId: ours.referenceId,
            providerPayoutId: theirs.id,
            ours: ours.state,
            theirs: theirs.statusText,
            oursPaise: ours.netPaise,
            theirsPaise: theirs.amountPaise,
            ...(ours.providerPayoutId === theirs.id ? {} : { knownAs: ours.providerPayoutId }),
          },
        },
        payoutId,
      );
  }
}

/** An attempt whose id at the provider is not known yet is looked up by reference: there may be several. */
async function settle(
  run: Run,
  ours: OurAttempt,
  { theirs, httpStatus }: { theirs: ProviderPayout; httpStatus: number },
): Promise<void> {
  const { ports, report, settler } = run;
  let found: readonly ProviderPayout[] = [theirs];
  if (ours.providerPayoutId === null) {
    const answer = await ports.gateway.findPayoutsByReference(ours.referenceId, {
      signal: ports.signal,
    });
    // The list was read a moment ago; without an answer now, the next run or handle-stuck settles it.
    if (answer.kind !== "accepted" || answer.value.length === 0) {
      report.skipped++;
      return;
    }
    found = answer.value;
  }
  const { outcome, code, message } = await settleFound(settler, ours, { found, httpStatus });
  run.handled.add(ours.payoutId);
  const item: ReconcileItem = { payoutId: ours.payoutId, outcome, message };
  if (outcome === "conflict") {
    countFinding(report, { severity: "critical", isOpen: true, item: { ...item, outcome: code } });
  } else if (outcome === "settled") {
    report.settled++;
    addItem(report, item);
  } else if (outcome === "in-flight") report.atProvider++;
  else report.skipped++;
  ports.log.info({ payoutId: ours.payoutId, outcome, code }, message);
}

async function reverse(run: Run, ours: OurAttempt, theirs: ProviderPayout): Promise<void> {
  const { ports, report } = run;
  const { payoutId, attemptId } = ours;
  if (!ports.dryRun) {
    ports.lease.assertTrusted();
    try {
      await reversePayout(ports.db, { payoutId, attemptId, provider: theirs, actor: ACTOR });
    } catch (error) {
      if (!(error instanceof ClaimLostError)) throw error;
      report.skipped++;
      return;
    }
  }
  report.reversed++;
  run.handled.add(payoutId);
  const held = await heldAfter(ports, payoutId, theirs);
  if (held !== undefined) report.reversedHeld++;
  const back = `the money came back: ${theirs.statusReason ?? theirs.statusText}`;
  const message = held === undefined ? back : `${back}; ${held}`;
  addItem(report, { payoutId, outcome: "reversed", message });
  ports.log.warn({ payoutId, providerPayoutId: theirs.id }, "a completed payout was reversed");
}

/** Why the next batch leaves out returned money. A dry run has not placed the hold that the reason asks for. */
async function heldAfter(
  { db, dryRun }: ReconcilePorts,
  payoutId: string,
  { statusReason }: ProviderPayout,
): Promise<string | undefined> {
  const held = (await heldAmong(db, [payoutId])).get(payoutId);
  if (held) return heldMessage(held);
  const isRefused = dryRun && ruleOf(statusReason ?? "")?.action === "new-details";
  return isRefused
    ? `the account is put on hold; nothing is sent until ${holdEnds([REFUSED_ACCOUNT])}`
    : undefined;
}

/**
 * Money of our payouts that the statement shows and the books lack. Asks the provider for each payout, however
 * old, and records the answer. Money unexplained for a day is a finding.
 */
async function followMoney(
  run: Run,
  transactions: readonly Transaction[],
): Promise<Verdict | undefined> {
  const { ports, report } = run;
  for (const move of await unmatchedMoves(ports.db, ports.dryRun ? transactions : [])) {
    if (isStopping(ports)) return { kind: "interrupted" };
    const { providerPayoutId } = move;
    const [ours] = await findAttempts(ports.db, [{ id: providerPayoutId, referenceId: null }]);
    if (!ours || run.handled.has(ours.payoutId)) continue;
    report.askedFor++;
    const answer = await ports.gateway.fetchPayout(providerPayoutId, { signal: ports.signal });
    if (answer.kind === "refused") await findMissing(run, ours, providerPayoutId);
    else if (answer.kind !== "accepted")
      return endOf(isStopping(ports) ? { kind: "interrupted" } : { kind: "unusable", answer });
    else if (explainsMoney(compare(ours, answer.value)))
      await compareOne(run, ours, { theirs: answer.value, httpStatus: answer.httpStatus });
    else if (move.isLate) await findUnmatched(run, { move, ours, theirs: answer.value });
  }
  return undefined;
}

/** Whether a comparison changes something that the money belongs to, or is a finding itself. */
function explainsMoney({ kind }: Comparison): boolean {
  return kind === "reverse" || kind === "settle" || kind === "finding";
}

async function findUnmatched(
  run: Run,
  { move, ours, theirs }: { move: UnmatchedMove; ours: OurAttempt; theirs: ProviderPayout },
): Promise<void> {
  const { providerPayoutId, debitPaise, creditPaise } = move;
  await find(
    run,
    {
      kind: "payout-transaction-unmatched",
      severity: "critical",
      subjectType: "payout",
      subjectId: ours.payoutId,
      details: {
        providerPayoutId,
        debitPaise,
        creditPaise,
        ours: ours.state,
        theirs: theirs.statusText,
      },
    },
    ours.payoutId,
  );
}

async function findMissing(run: Run, ours: OurAttempt, providerPayoutId: string): Promise<void> {
  await find(
    run,
    {
      kind: "provider-payout-missing",
      severity: "critical",
      subjectType: "payout",
      subjectId: ours.payoutId,
      details: { providerPayoutId },
    },
    ours.payoutId,
  );
}

/** Our attempts that a complete list did not show: each is asked for before a verdict. */
async function askForMissing(run: Run, from: string): Promise<Verdict | undefined> {
  const { ports, report, seen } = run;
  const attempts = inPages<OurAttempt & AttemptCursor>(
    ({ after: cursor, count }) => knownAttemptsAfter(ports.db, { from, cursor, count }),
    { size: 100 },
  );
  for await (const ours of attempts) {
    const id = ours.providerPayoutId;
    if (id === null || seen.has(id)) continue;
    if (isStopping(ports)) return { kind: "interrupted" };
    report.askedFor++;
    const answer = await ports.gateway.fetchPayout(id, { signal: ports.signal });
    if (answer.kind === "accepted") {
      const { value: theirs, httpStatus } = answer;
      await compareOne(run, ours, { theirs, httpStatus });
    } else if (answer.kind === "refused") {
      await findMissing(run, ours, id);
    } else {
      return endOf(isStopping(ports) ? { kind: "interrupted" } : { kind: "unusable", answer });
    }
  }
  return undefined;
}

/** A function, because the value may change during an await. */
function isStopping({ signal }: ReconcilePorts): boolean {
  return signal.aborted;
}

async function find(run: Run, finding: NewFinding, payoutId: string): Promise<void> {
  const { ports, report } = run;
  run.handled.add(payoutId);
  const isOpen = ports.dryRun || (await recordFinding(ports.db, finding));
  const item = { payoutId, outcome: finding.kind, message: "a finding is stored for a person" };
  countFinding(report, { severity: finding.severity, isOpen, item });
  const { kind, severity, subjectId } = finding;
  ports.log.warn({ kind, severity, subjectId, isOpen }, "our record and the provider's differ");
}

/** Earnings that came back are READY; the next batch takes them unless the payee is on hold. */
function reversedWarning({ dryRun, reversed, reversedHeld: held }: ReconcileReport): string[] {
  if (reversed === 0) return [];
  const came = `The money of ${counted(reversed, "payout")} came back`;
  if (held === 0) return [`${came}; the earnings wait for the next batch.`];
  const rest = held < reversed ? "; the other earnings wait for the next batch" : "";
  const are = dryRun ? "would be" : agreeing(held, "is", "are");
  return [
    `${came}. ${held} of them ${are} of a payee on hold, and no batch pays the earnings before that ends${rest}. ${HOLD_REMEDY}`,
  ];
}

function judge(report: ReconcileReport): Verdict {
  const { critical, warnings, inFlight } = report;
  if (critical > 0) {
    const differ: RunFault = {
      code: "records-differ",
      message: `${counted(critical, "difference")} between our record and the provider's can not be mended by a job.`,
      remedy:
        "Look at `npm run findings -- list` and docs/runbooks.md. Nothing was changed for these, and nobody is paid again.",
    };
    return failed(differ);
  }
  const open = [
    ...reversedWarning(report),
    ...(warnings > 0
      ? [
          `${counted(warnings, "finding")} ${agreeing(warnings, "waits", "wait")} for a person: npm run findings -- list.`,
        ]
      : []),
  ];
  return {
    kind: "completed",
    ...(inFlight.count === 0 ? {} : { note: inFlightNote(inFlight) }),
    ...(open.length === 0 ? {} : { warning: open.join(" ") }),
  };
}
