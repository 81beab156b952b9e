import { describeRowError } from "../../db/sqlstate.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { failed, type RunFault, type Verdict } from "../../support/verdict.ts";
import { RETRY_LATER } from "../state/account-holds.ts";
import { ABOVE_SINGLE_CAP, SINGLE_CAP_REMEDY } from "./caps.ts";
import { countWaiting } from "../state/due.ts";
import { inFlightAtTheEnd, inFlightNote, unsentWarning } from "../state/in-flight.ts";
import { PAYEE_KINDS, type PayeeKind } from "../state/kind.ts";
import { HOLD_REMEDY, ON_HOLD } from "../state/on-hold.ts";
import type { PayoutPorts } from "./ports.ts";
import { countsOf, errorsOf, type PayoutCounts, type PayoutRunReport } from "./report.ts";

/** The reason for the end of the run, other than no more work. */
export interface RunEnd {
  fault: RunFault | undefined;
  /** The thrown error, most likely of the database: the run ended, and its report is kept. */
  error: unknown;
  /** The error that kept final states from being recorded at the end, unless it was temporary. */
  unrecorded: unknown;
  /** A running payout was given up because the run may start nothing more. */
  stopped: boolean;
}

/** The verdict on the run, from its numbers and from the payouts that still wait. */
export async function judge(
  ports: PayoutPorts,
  report: PayoutRunReport,
  { fault, error, unrecorded, stopped }: RunEnd,
): Promise<Verdict> {
  if (fault) return failed(fault);
  if (error !== undefined) return { kind: "broken", error };
  report.inFlight = await inFlightAtTheEnd(ports.db, report.inFlight);
  const kinds = PAYEE_KINDS.map((kind) => ({ kind, counts: countsOf(report, kind) }));
  const isSeen = kinds.every(({ counts }) => counts.processed + counts.skipped >= counts.found);
  if (stopped || (ports.signal.aborted && !isSeen)) return { kind: "interrupted" };

  if (kinds.every(({ counts }) => counts.processed === 0)) {
    const above = aboveCapVerdict(report);
    if (above) return above;
  }
  // Each kind separately: paying one proves nothing about the other.
  for (const { kind, counts } of kinds) {
    if (counts.found === counts.aboveCap || counts.processed > 0) continue;
    const due = (await countWaiting(ports.db, kind)).due - counts.aboveCap;
    const waiting = Math.max(due, counts.left) - retryLaterIn(counts) - stillPending(kind, counts);
    if (waiting > 0) return failed(workLeftBehind(kind, counts, waiting));
  }
  const troubled = kinds.filter(({ counts }) => errorsOf(counts) + counts.left > 0);
  const above = aboveCapVerdict(report);
  if (troubled.length === 0) {
    if (unrecorded !== undefined) return withAboveCap(notRecorded(report, unrecorded), report);
    return above ?? completed(report);
  }
  const any = (count: (counts: PayoutCounts) => number): boolean =>
    kinds.some(({ counts }) => count(counts) > 0);
  const partial: Verdict = {
    kind: "partial",
    reason: any(({ unknown }) => unknown)
      ? "outcome-unknown"
      : any(({ failed: count }) => count)
        ? "payouts-failed"
        : "payouts-left",
    message: troubled.map(({ kind, counts }) => whatHappened(kind, counts)).join(" "),
    remedy: [
      ...(any(({ failed: count }) => count)
        ? [
            `Failed payouts moved no money: mend the cause listed below, their earnings are in the next batch${
              any(refusedByDatabase)
                ? "; those that the database refused are still due themselves, and the log has its words"
                : ""
            }.`,
          ]
        : []),
      ...(any(({ unknown }) => unknown)
        ? [
            "Unknown ones stay in processing and are never sent again under another key until the provider is asked.",
          ]
        : []),
      ...(any(({ left }) => left) ? ["Waiting payouts are unchanged: run again."] : []),
    ].join(" "),
  };
  return withAboveCap(partial, report);
}

const NAMED = 5;

/** Red whenever a payout is above the cap of one: it is due, and waits until somebody looks. */
export function aboveCapVerdict(report: PayoutRunReport): Verdict | undefined {
  const all = PAYEE_KINDS.map((kind) => countsOf(report, kind));
  const count = all.reduce((sum, counts) => sum + counts.aboveCap, 0);
  if (count === 0) return undefined;
  const messages = all.flatMap(({ items }) =>
    items.filter(({ code }) => code === ABOVE_SINGLE_CAP).map(({ message }) => message),
  );
  const more = count - Math.min(messages.length, NAMED);
  const message = [
    ...messages.slice(0, NAMED),
    ...(more > 0 ? [`And ${more} more are above it.`] : []),
  ].join(" ");
  const isDone = all.some(({ processed, planned }) => processed + planned > 0);
  const code = "cap-exceeded";
  return isDone
    ? { kind: "partial", reason: code, message, remedy: SINGLE_CAP_REMEDY }
    : { kind: "failed", code, message, remedy: SINGLE_CAP_REMEDY };
}

/** Another reason comes first; payouts above the cap are named in addition. */
function withAboveCap(verdict: Verdict, report: PayoutRunReport): Verdict {
  const above = aboveCapVerdict(report);
  if (verdict.kind !== "partial" || above?.kind !== "partial") return verdict;
  const remedy = [verdict.remedy, above.remedy].filter((part) => part !== undefined).join(" ");
  return { ...verdict, message: `${verdict.message} ${above.message}`, remedy };
}

function refusedByDatabase({ reasons }: PayoutCounts): number {
  return reasons["failed DATABASE_REFUSED"] ?? 0;
}

const NAMES: Readonly<Record<PayeeKind, [one: string, many: string]>> = {
  consultant: ["payout", "payouts"],
  organization: ["organization payout", "organization payouts"],
};

function whatHappened(
  kind: PayeeKind,
  { succeeded, found, failed: refused, unknown, left }: PayoutCounts,
): string {
  const parts = [
    ...(refused > 0 ? [`${refused} failed`] : []),
    ...(unknown > 0 ? [`${unknown} ${agreeing(unknown, "has", "have")} an unknown outcome`] : []),
    ...(left > 0 ? [`${left} ${agreeing(left, "waits", "wait")} for the next run`] : []),
  ];
  return `${succeeded} of ${counted(found, ...NAMES[kind])} ${agreeing(found, "was", "were")} sent; ${parts.join(" and ")}.`;
}

/** This run had no fault; open payouts of earlier runs are still reported. */
export function completed({
  inDoubtBefore,
  unfinishedBefore,
  unsentBefore,
  unrecorded,
  organizations,
  inFlight,
  ...consultants
}: PayoutRunReport): Verdict {
  const held = heldIn(consultants) + heldIn(organizations);
  const open = inDoubtBefore + unfinishedBefore;
  const notTaken = unrecorded + organizations.unrecorded;
  const later = retryLaterIn(consultants) + retryLaterIn(organizations);
  const warnings = [
    ...(held > 0
      ? [
          `${counted(held, "payout")} that ${agreeing(held, "is due was", "are due were")} not sent, because the payee is on hold. The money stays here, and the first pay run after the hold sends it. ${HOLD_REMEDY} Or reject the payout.`,
        ]
      : []),
    ...withdrawnWarning({ ...consultants, organizations }),
    ...(later > 0
      ? [
          `${counted(later, "payout")} ${agreeing(later, "was", "were")} not sent, because a try to the same account failed a moment ago. ${agreeing(later, "It is", "They are")} due again after the wait that the report names.`,
        ]
      : []),
    ...(open > 0
      ? [
          `${counted(open, "payout")} of earlier runs ${agreeing(open, "is", "are")} still in processing, ${inDoubtBefore} with an unknown outcome. None of them is paid again; payouts/handle-stuck-payouts asks the provider and settles them.`,
        ]
      : []),
    ...(unsentBefore > 0 ? [unsentWarning(unsentBefore)] : []),
    ...(notTaken > 0
      ? [
          `${counted(notTaken, "payout")} ${agreeing(notTaken, "was sent and is", "were sent and are")} final at the provider, and the database did not take that in time. ${RECORDED_LATER}`,
        ]
      : []),
  ];
  return {
    kind: "completed",
    ...(inFlight.count === 0 ? {} : { note: inFlightNote(inFlight) }),
    ...(warnings.length === 0 ? {} : { warning: warnings.join(" ") }),
  };
}

/** When the run began, or by the time of its claim. */
function heldIn({ held, reasons }: Pick<PayoutCounts, "held" | "reasons">): number {
  return held + (reasons[`skipped ${ON_HOLD}`] ?? 0);
}

/** Passed over until a wait is over: no fault of this run. */
function retryLaterIn({ reasons }: Pick<PayoutCounts, "reasons">): number {
  return reasons[`skipped ${RETRY_LATER}`] ?? 0;
}

/** An organization's payout stays PENDING, and so due, until somebody rejects it: no fault of this run. */
function stillPending(kind: PayeeKind, { withdrawn }: PayoutCounts): number {
  return kind === "organization" ? withdrawn : 0;
}

/** Payouts that a person has to look at again before they are sent; also said by a dry run. */
export function withdrawnWarning({
  dryRun,
  withdrawn,
  organizations,
}: Pick<PayoutRunReport, "dryRun" | "withdrawn" | "organizations">): string[] {
  const count = withdrawn + organizations.withdrawn;
  if (count === 0) return [];
  const was = dryRun ? "would not be" : agreeing(count, "was not", "were not");
  return [
    `${counted(count, "payout")} ${was} sent: the account, the amount or the sales are not those that a person approved, or sales in it were refunded. ${agreeing(count, "It waits", "They wait")} for a person: the report says what changed and who did it (npm run payouts -- show, then approve or reject).`,
  ];
}

const RECORDED_LATER =
  "They stay in processing, are not sent again, and payouts/handle-stuck-payouts records it.";

/** All were sent. Recording the provider's list at the end met an error that the next job may meet as well. */
function notRecorded({ unrecorded, organizations }: PayoutRunReport, error: unknown): Verdict {
  const count = unrecorded + organizations.unrecorded;
  return {
    kind: "partial",
    reason: "final-state-not-recorded",
    message: `${count === 0 ? "Payouts" : counted(count, "payout")} that ${agreeing(count, "was", "were")} sent could not be recorded as final: ${describeRowError(error)}.`,
    remedy: `The log has the database's own words; fix the cause that it names. ${RECORDED_LATER}`,
  };
}

/** Zero work while work is waiting: red, with the likely cause. */
function workLeftBehind(kind: PayeeKind, { items }: PayoutCounts, waiting: number): RunFault {
  const codes = [...new Set(items.map(({ code }) => code))];
  const cause =
    codes.length === 0
      ? "they were found and then could no longer be claimed"
      : `each was passed over: ${codes.join(", ")}`;
  return {
    code: "work-left-behind",
    message: `${counted(waiting, ...NAMES[kind])} ${agreeing(waiting, "waits", "wait")} and none was handled; ${cause}.`,
    remedy:
      "Look for another session that holds the rows (pg_stat_activity), or another run that is still going.",
  };
}
