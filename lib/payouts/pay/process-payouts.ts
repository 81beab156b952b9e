import { readInFlight } from "../../ledger/in-flight.ts";
import { faultOf } from "../../provider/faults.ts";
import { failed, type CoreResult, type RunFault, type Verdict } from "../../support/verdict.ts";
import { countOpen, countUnsent, countWaiting, heldDue, NO_LIMIT } from "../state/due.ts";
import { askFunds, insufficientFunds, shortPaise } from "../state/funds.ts";
import { kindOf, PAYEE_KINDS } from "../state/kind.ts";
import { namePayees } from "../state/payee-refs.ts";
import { createPlanner } from "../state/plan.ts";
import { auditCaps } from "./audit-caps.ts";
import { exceededRunCap } from "./caps.ts";
import { countAboveCap, dueItems, find, sum, together, type Found } from "./find-due.ts";
import { funded, type Funded } from "./funded.ts";
import { aboveCapVerdict, completed, judge, withdrawnWarning } from "./judge.ts";
import { payAll } from "./pay-all.ts";
import type { PayoutPorts } from "./ports.ts";
import {
  countHeld,
  countPlan,
  countsOf,
  emptyReport,
  MOST_HELD,
  totalFound,
  type PayoutRunReport,
} from "./report.ts";

/**
 * Pays every approved payout, oldest approval first, then those of organizations: claim, withhold tax, send,
 * record. See docs/jobs/process-payouts.md for the meaning and the remedy of each outcome.
 */
export async function processPayouts(ports: PayoutPorts): Promise<CoreResult<PayoutRunReport>> {
  const report = emptyReport(ports.dryRun);
  const verdict = await payOrPlan(ports, report);
  await namePayees(ports.db, [...report.items, ...report.organizations.items, ...report.plan]);
  return { verdict, report };
}

async function payOrPlan(ports: PayoutPorts, report: PayoutRunReport): Promise<Verdict> {
  const found: Found[] = [];
  for (const kind of PAYEE_KINDS) {
    const limit = (ports.limit ?? NO_LIMIT) - sum(found.map(({ count }) => count));
    const ofKind = await find(ports, { kind, limit });
    found.push(ofKind);
    const counts = countsOf(report, kind);
    counts.found = ofKind.count;
    await countAboveCap(ports, kind, counts);
    counts.outOfTries = (await countWaiting(ports.db, kind)).outOfTries;
    countHeld(counts, await heldDue(ports.db, { kind, most: MOST_HELD }));
  }
  const open = await countOpen(ports.db, ports.runId);
  report.inDoubtBefore = open.inDoubt;
  report.unfinishedBefore = open.unfinished;
  report.unsentBefore = await countUnsent(ports.db, {
    runId: ports.runId,
    fence: ports.lease.fence,
  });
  report.inFlight = await readInFlight(ports.db);
  warnOfOthers(ports, report);

  const overCap = exceededRunCap(together(found), ports.settings.caps);
  if (overCap) return failed(overCap);
  if (sum(found.map(({ count }) => count)) === 0)
    return aboveCapVerdict(report) ?? completed(report);

  // A dry run asks as well: keys, address and balance are the most frequent faults of a real run.
  const unreachable = await askGateway(ports);
  if (unreachable) return failed(unreachable);
  const funds = await askFunds(ports, together(found));
  report.funds = funds;
  if (shortPaise(funds) > 0n && ports.settings.whenShort === "stop")
    return failed(insufficientFunds(funds));
  const due = funded(dueItems(ports, found), funds);
  if (ports.dryRun) return planAll(ports, report, due);
  await auditCaps(ports.db, ports);
  return judge(ports, report, await payAll(ports, report, due));
}

async function planAll(ports: PayoutPorts, report: PayoutRunReport, due: Funded): Promise<Verdict> {
  const plan = createPlanner(ports);
  let done = 0;
  for await (const item of due.items) {
    if (ports.signal.aborted) return { kind: "interrupted" };
    const planned = await plan(item);
    countPlan(report, { payoutId: item.id, kind: kindOf(item) }, planned);
    ports.log.debug({ payoutId: item.id, plan: planned }, "planned");
    ports.progress.update(++done, totalFound(report));
  }
  if (due.shortage) return failed(due.shortage);
  const [warning] = withdrawnWarning(report);
  const planned: Verdict = { kind: "completed", ...(warning === undefined ? {} : { warning }) };
  return aboveCapVerdict(report) ?? planned;
}

/** A harmless read before the first claim: wrong credentials or a closed gateway touch no row. */
async function askGateway(ports: PayoutPorts): Promise<RunFault | undefined> {
  const answer = await ports.gateway.listPayouts({ count: 1 }, { signal: ports.signal });
  if (answer.kind === "accepted") return undefined;
  if (answer.kind === "unknown" && ports.signal.aborted) return undefined;
  const fault = faultOf(answer);
  ports.log.error({ fault: fault.code, answer: answer.kind }, "the provider can not be used");
  return fault;
}

function warnOfOthers({ log }: PayoutPorts, report: PayoutRunReport): void {
  const outOfTries = sum(PAYEE_KINDS.map((kind) => countsOf(report, kind).outOfTries));
  if (outOfTries > 0) {
    log.warn({ count: outOfTries }, "payouts are out of tries and wait for a person");
  }
  const held = sum(PAYEE_KINDS.map((kind) => countsOf(report, kind).held));
  if (held > 0) log.warn({ count: held }, "payouts are not sent: their payees are on hold");
  if (report.inDoubtBefore > 0) {
    log.warn(
      { count: report.inDoubtBefore },
      "payouts of earlier runs are in doubt: nobody has asked the provider yet",
    );
  }
  if (report.unsentBefore > 0) {
    log.warn(
      { count: report.unsentBefore },
      "payouts are claimed by another run and not sent: that run continues, or is dead",
    );
  }
}
