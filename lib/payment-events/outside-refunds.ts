import { inTransaction, type DbSession } from "../db/client.ts";
import { tryRow } from "../db/rows.ts";
import { isResolved, recordFinding, type NewFinding } from "../findings/index.ts";
import {
  gatewayDown,
  NO_ANSWER_IN_A_ROW,
  paymentsFault,
  type ProviderRefund,
} from "../provider/index.ts";
import { bookOutsideRefund, readCard, reportOutsideRefund } from "../refunds/outside-refund.ts";
import { hours } from "../support/clock.ts";
import { errorCode } from "../support/errors.ts";
import { failed, type Verdict } from "../support/verdict.ts";
import { ACTOR, type EventPorts } from "./ports.ts";
import {
  markMatched,
  matchKnown,
  storeRefunds,
  unmatchedAmong,
  unmatchedRefunds,
  type UnmatchedRefund,
} from "./provider-refunds.ts";
import { readList } from "./read-list.ts";
import { countEvent, type EventItem } from "./report.ts";

/** Some hundred refunds: a slice that could not be read to its end is read again from its beginning. */
const SLICE_MS = hours(72);

/**
 * Reads the provider's list of refunds, and books each that no leg of ours asked for. Each that was read is stored first,
 * so that one that can not be booked yet is not forgotten when the list has moved on.
 */
export async function followOutsideRefunds(ports: EventPorts): Promise<Verdict | undefined> {
  const { db, gateway, signal, dryRun, report } = ports;
  const readSince = await now(db);
  const read: ProviderRefund[] = [];
  const ended = await readList<ProviderRefund>(ports, {
    name: "refunds",
    sliceMs: SLICE_MS,
    readPage: (page) => gateway.listAllRefunds(page, { signal }),
    onPage: async (page) => {
      report.refundsRead += page.length;
      if (dryRun) read.push(...page);
      else await storeRefunds(db, page);
    },
  });
  if (ended?.kind === "interrupted") return ended;
  if (!dryRun) await matchKnown(db);
  const unmatched = [
    ...(await unmatchedRefunds(db, { readSince })),
    ...(dryRun ? await unmatchedAmong(db, read) : []),
  ];
  return (await settleAll(ports, unmatched)) ?? ended;
}

async function settleAll(
  ports: EventPorts,
  unmatched: readonly UnmatchedRefund[],
): Promise<Verdict | undefined> {
  let silentInARow = 0;
  for (const refund of unmatched) {
    if (ports.signal.aborted) return { kind: "interrupted" };
    const failure = "this refund of the provider could not be handled";
    const tried = await tryRow(() => settleOne(ports, refund), {
      log: ports.log,
      row: { providerRefundId: refund.id, paymentId: refund.paymentId },
      failed: failure,
    });
    if (tried.kind !== "done") {
      const code = errorCode(tried.error) ?? "UNEXPECTED_ERROR";
      note(ports, refund, {
        outcome: "failed",
        code,
        message: `${failure}; the log has the error`,
      });
      continue;
    }
    if (tried.value.verdict) return tried.value.verdict;
    silentInARow = tried.value.isSilent ? silentInARow + 1 : 0;
    if (silentInARow >= NO_ANSWER_IN_A_ROW) return failed(gatewayDown);
  }
  return undefined;
}

interface Settled {
  verdict?: Verdict;
  isSilent?: boolean;
}

async function settleOne(ports: EventPorts, refund: UnmatchedRefund): Promise<Settled> {
  if (refund.isOurs) {
    const message = "it bears the receipt of a refund of ours, which process-refunds looks up";
    note(ports, refund, { outcome: "waiting", code: "OURS_IN_DOUBT", message });
    return {};
  }
  if (refund.paymentId === null) {
    await reportUnmatched(ports, refund, { why: "unknown-payment" });
    return {};
  }
  let { status } = refund;
  if (refund.isStale) {
    const answer = await ports.gateway.fetchRefund(refund.id, { signal: ports.signal });
    if (answer.kind === "systemic")
      return { verdict: failed(paymentsFault(answer.fault, answer.detail)) };
    if (answer.kind !== "accepted") {
      const code = answer.kind === "unknown" ? answer.cause : answer.failure.code;
      note(ports, refund, { outcome: "unanswered", code, message: "asked again by the next run" });
      return { isSilent: answer.kind === "unknown" };
    }
    ({ status } = answer.value);
    if (!ports.dryRun) await storeRefunds(ports.db, [answer.value]);
    if (status === "failed") return {};
  }
  await book(ports, { ...refund, status, paymentId: refund.paymentId });
  return {};
}

type Bookable = UnmatchedRefund & { paymentId: string };

async function book(ports: EventPorts, refund: Bookable): Promise<void> {
  const { id, paymentId, amountPaise } = refund;
  const state = refund.status === "processed" ? "PROCESSED" : "ACCEPTED";
  const booked = ports.dryRun
    ? await plan(ports.db, refund)
    : await inTransaction(ports.db, async (tx) => {
        ports.lease.assertTrusted();
        const result = await bookOutsideRefund(tx, {
          paymentId,
          key: `provider-refund:${id}`,
          amountPaise,
          reason: "made in the provider's dashboard",
          providerRefundId: id,
          state,
          actor: ACTOR,
        });
        if (result.kind === "exceeds") return result;
        await markMatched(tx, id);
        if (result.kind === "booked") {
          const { refundId } = result;
          await reportOutsideRefund(tx, { refundId, paymentId, amountPaise, providerRefundId: id });
        }
        return result;
      });
  if (booked.kind === "known") return;
  if (booked.kind === "booked") {
    const message = `made outside, ${state === "PROCESSED" ? "and paid" : "and not finished there yet"}; a finding says so`;
    note(ports, refund, { outcome: "booked", code: refund.status, message });
    return;
  }
  const { leftPaise, openPaise } = booked;
  if (openPaise > 0n) {
    const message = "it does not fit beside a refund of ours that is not settled yet";
    note(ports, refund, { outcome: "waiting", code: "OURS_OPEN", message });
    return;
  }
  await reportUnmatched(ports, refund, { why: "exceeds-payment", leftPaise });
}

/** The result of `bookOutsideRefund` now. Only reads. */
async function plan(
  db: DbSession,
  { paymentId, amountPaise }: Bookable,
): Promise<{ kind: "booked" } | { kind: "exceeds"; leftPaise: bigint; openPaise: bigint }> {
  const { leftPaise = 0n, openPaise = 0n } = (await readCard(db, paymentId)) ?? {};
  return amountPaise <= leftPaise ? { kind: "booked" } : { kind: "exceeds", leftPaise, openPaise };
}

/** Stored, and looked at again by every run: a payment may become known, and a refund may fail. */
async function reportUnmatched(
  ports: EventPorts,
  refund: UnmatchedRefund,
  details: { why: "unknown-payment" | "exceeds-payment"; leftPaise?: bigint },
): Promise<void> {
  const { id, providerPaymentId, paymentId, amountPaise } = refund;
  const finding: NewFinding = {
    kind: "outside-refund-unmatched",
    severity: "critical",
    subjectType: "provider-refund",
    subjectId: id,
    details: { providerPaymentId, paymentId, amountPaise, ...details },
  };
  const isOpen = ports.dryRun
    ? !(await isResolved(ports.db, finding))
    : await recordFinding(ports.db, finding);
  if (!isOpen) return;
  const message =
    details.why === "unknown-payment"
      ? "no payment of ours has this id of the provider"
      : "more than is left of the payment by our records";
  note(ports, refund, { outcome: "unmatched", code: details.why, message });
}

function note(
  { report, log }: EventPorts,
  { id, paymentId, amountPaise }: UnmatchedRefund,
  said: Pick<EventItem, "outcome" | "code" | "message">,
): void {
  countEvent(report, { id, paymentId, amountPaise, ...said });
  log.info({ providerRefundId: id, paymentId, ...said }, said.message);
}

async function now(db: DbSession): Promise<Date> {
  const [row] = await db.query<{ now: Date }[]>`SELECT now() AS now`;
  return row?.now ?? new Date(0);
}
