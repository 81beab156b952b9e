import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type DbSession } from "../db/client.ts";
import { tryRow } from "../db/rows.ts";
import { recordFinding } from "../findings/index.ts";
import {
  gatewayDown,
  NO_ANSWER_IN_A_ROW,
  paymentsFault,
  type ProviderDispute,
} from "../provider/index.ts";
import { bookOutsideRefund, giveUpDueByCard } from "../refunds/outside-refund.ts";
import { errorCode } from "../support/errors.ts";
import { failed, type Verdict } from "../support/verdict.ts";
import {
  decideDispute,
  readDispute,
  type DisputeDecision,
  type StoredDispute,
} from "./decide-dispute.ts";
import { ACTOR, type EventPorts } from "./ports.ts";
import { readList } from "./read-list.ts";
import { countEvent, type EventItem } from "./report.ts";

/**
 * Reads the disputes that were raised since the last read, and asks about each older one that has not ended. Stores
 * what the provider says; the database places and releases the consultant's hold with the row.
 */
export async function followDisputes(ports: EventPorts): Promise<Verdict | undefined> {
  const { gateway, signal, report } = ports;
  const seen = new Set<string>();
  const told: ProviderDispute[] = [];
  let areDone = true;
  const ended = await readList<ProviderDispute>(ports, {
    name: "disputes",
    // In one piece: UNVERIFIED whether the provider heeds the time, and it lists few.
    sliceMs: Infinity,
    readPage: (page) => gateway.listDisputes(page, { signal }),
    onPage: async (page) => {
      told.push(...page);
      // Before the list counts as read.
      for (const dispute of page) areDone = (await settleInItsOwn(ports, dispute)) && areDone;
    },
    isDone: () => areDone,
  });
  if (ended?.kind === "interrupted") return ended;
  for (const { id } of told) seen.add(id);
  report.disputesRead += seen.size;
  return (await askAboutOpen(ports, seen)) ?? ended;
}

async function askAboutOpen(
  ports: EventPorts,
  seen: ReadonlySet<string>,
): Promise<Verdict | undefined> {
  const open = await ports.db.query<{ id: string }[]>`
    SELECT id FROM disputes WHERE ended_at IS NULL ORDER BY raised_at, id`;
  let silentInARow = 0;
  for (const { id } of open.filter((one) => !seen.has(one.id))) {
    if (ports.signal.aborted) return { kind: "interrupted" };
    const answer = await ports.gateway.fetchDispute(id, { signal: ports.signal });
    ports.report.disputesRead++;
    silentInARow = answer.kind === "unknown" ? silentInARow + 1 : 0;
    if (answer.kind === "systemic") return failed(paymentsFault(answer.fault, answer.detail));
    if (answer.kind === "accepted") {
      await settleInItsOwn(ports, answer.value);
      continue;
    }
    const code = answer.kind === "unknown" ? answer.cause : answer.failure.code;
    const message = "asked again by the next run; its hold stays";
    note(ports, { id, paymentId: null, amountPaise: 0n }, { outcome: "unanswered", code, message });
    if (silentInARow >= NO_ANSWER_IN_A_ROW) return failed(gatewayDown);
  }
  return undefined;
}

/** @returns false when an error met it, and it stays as it was */
async function settleInItsOwn(ports: EventPorts, told: ProviderDispute): Promise<boolean> {
  const failure = "this dispute could not be handled";
  const tried = await tryRow(() => settle(ports, told), {
    log: ports.log,
    row: { disputeId: told.id },
    failed: failure,
  });
  if (tried.kind === "done") return true;
  const code = errorCode(tried.error) ?? "UNEXPECTED_ERROR";
  const message = `${failure}; the log has the error`;
  note(ports, { ...told, paymentId: null }, { outcome: "failed", code, message });
  return false;
}

async function settle(ports: EventPorts, told: ProviderDispute): Promise<void> {
  const { decision, stored } = ports.dryRun
    ? await look(ports.db, told, { forUpdate: false })
    : await inTransaction(ports.db, async (tx) => {
        ports.lease.assertTrusted();
        const looked = await look(tx, told, { forUpdate: true });
        return { ...looked, decision: await write(tx, { told, ...looked }) };
      });
  const item = itemOf(decision, stored, told);
  const { amountPaise, deductedPaise } = told;
  const paise = decision.kind === "lost" ? deductedPaise : amountPaise;
  if (item) note(ports, { id: told.id, paymentId: decision.paymentId, amountPaise: paise }, item);
}

/** Locks the payment first, as everything does that books a refund of it. */
async function look(
  db: DbSession,
  told: ProviderDispute,
  { forUpdate }: { forUpdate: boolean },
): Promise<{ decision: DisputeDecision; stored: StoredDispute | undefined }> {
  if (forUpdate) {
    await db.query`
      SELECT 1 FROM payments WHERE provider_payment_id = ${told.paymentId} FOR UPDATE`;
  }
  const stored = await readDispute(db, told.id, { forUpdate });
  return { stored, decision: await decideDispute(db, { told, stored }) };
}

/** @returns the decision as it came out: the deduction may not fit yet */
async function write(
  tx: DbSession,
  {
    told,
    stored,
    decision,
  }: { told: ProviderDispute; stored: StoredDispute | undefined; decision: DisputeDecision },
): Promise<DisputeDecision> {
  if (decision.kind === "known") return decision;
  const done = decision.kind === "lost" ? await bookLost(tx, told, decision.paymentId) : decision;
  await store(tx, told, done);
  if (isNews(done, stored, told)) {
    await report(tx, { told, done });
    if (done.paymentId !== null) await audit(tx, told, done.paymentId);
  }
  return done;
}

async function audit(tx: DbSession, told: ProviderDispute, paymentId: string): Promise<void> {
  const { id: disputeId, amountPaise, deductedPaise, statusText } = told;
  await recordAudit(tx, {
    actor: ACTOR,
    category: "DISPUTE",
    action: `DISPUTE_${told.status.toUpperCase()}`,
    subjectType: "payment",
    subjectId: paymentId,
    reason: `dispute ${disputeId} is ${statusText}`,
    detail: { disputeId, amountPaise, deductedPaise },
  });
}

/** The deduction is a refund that nobody here asked for: the consultant bears the share. */
async function bookLost(
  tx: DbSession,
  told: ProviderDispute,
  paymentId: string,
): Promise<DisputeDecision> {
  await giveUpDueByCard(tx, { paymentId, disputeId: told.id });
  const booked = await bookOutsideRefund(tx, {
    paymentId,
    key: `dispute:${told.id}`,
    amountPaise: told.deductedPaise,
    reason: `dispute ${told.id} is lost`,
    providerRefundId: null,
    state: "PROCESSED",
    actor: ACTOR,
  });
  if (booked.kind !== "exceeds") return { kind: "lost", paymentId };
  return booked.openPaise > 0n
    ? { kind: "open", paymentId, holds: true, waitsForRefund: true }
    : { kind: "unmatched", paymentId, why: "exceeds-payment", ended: true };
}

async function store(tx: DbSession, told: ProviderDispute, done: DisputeDecision): Promise<void> {
  const holds = done.kind === "open" && done.holds;
  const unmatched = done.kind === "unmatched" ? done.why : null;
  const hasEnded =
    done.kind === "kept" || done.kind === "lost" || (done.kind === "unmatched" && done.ended);
  await tx.execute`
    INSERT INTO disputes (id, payment_id, provider_payment_id, amount_paise, deducted_paise, currency, status,
                          phase, reason_code, respond_by, raised_at, unmatched, holds_consultant, ended_at)
    VALUES (${told.id}, ${done.paymentId}::uuid, ${told.paymentId}, ${told.amountPaise}, ${told.deductedPaise},
            ${told.currency}, ${told.statusText}, ${told.phase}, ${told.reasonCode},
            ${told.respondByMs === null ? null : new Date(told.respondByMs)}::timestamptz,
            ${new Date(told.createdAtMs)}, ${unmatched}, ${holds},
            CASE WHEN ${hasEnded}::boolean THEN now() END)
    ON CONFLICT (id) DO UPDATE
    SET payment_id = EXCLUDED.payment_id, amount_paise = EXCLUDED.amount_paise,
        deducted_paise = EXCLUDED.deducted_paise, status = EXCLUDED.status, phase = EXCLUDED.phase,
        reason_code = EXCLUDED.reason_code, respond_by = EXCLUDED.respond_by, unmatched = EXCLUDED.unmatched,
        holds_consultant = disputes.holds_consultant OR EXCLUDED.holds_consultant,
        updated_at = now(), ended_at = EXCLUDED.ended_at`;
}

function isNews(
  done: DisputeDecision,
  stored: StoredDispute | undefined,
  told: ProviderDispute,
): boolean {
  // Won before we ever heard of it: nothing happened.
  if (stored === undefined) return done.kind !== "kept";
  const why = done.kind === "unmatched" ? done.why : null;
  return stored.status !== told.statusText || stored.unmatched !== why || done.kind === "lost";
}

async function report(
  tx: DbSession,
  { told, done }: { told: ProviderDispute; done: DisputeDecision },
): Promise<void> {
  const { amountPaise, deductedPaise, statusText: status, phase, reasonCode, respondByMs } = told;
  const { paymentId } = done;
  const finding = { subjectType: "dispute", subjectId: told.id } as const;
  if (done.kind === "unmatched") {
    const details = {
      paymentId,
      providerPaymentId: told.paymentId,
      amountPaise,
      deductedPaise,
      status,
      why: done.why,
    };
    await recordFinding(tx, {
      ...finding,
      kind: "dispute-unmatched",
      severity: "critical",
      details,
    });
  } else if (done.kind === "lost") {
    const details = { paymentId, amountPaise, deductedPaise };
    await recordFinding(tx, { ...finding, kind: "dispute-lost", severity: "critical", details });
  } else {
    const respondBy = respondByMs === null ? null : new Date(respondByMs).toISOString();
    const details = { paymentId, amountPaise, status, phase, reasonCode, respondBy };
    const severity = done.kind === "kept" ? "warning" : "critical";
    await recordFinding(tx, { ...finding, kind: "payment-disputed", severity, details });
  }
}

function itemOf(
  decision: DisputeDecision,
  stored: StoredDispute | undefined,
  told: ProviderDispute,
): Pick<EventItem, "outcome" | "code" | "message"> | undefined {
  const code = told.statusText;
  switch (decision.kind) {
    case "known":
      return undefined;
    case "unmatched":
      return {
        outcome: "unmatched",
        code: decision.why,
        message: "a finding is stored for a person; nobody is on hold for it",
      };
    case "lost":
      return {
        outcome: "lost",
        code,
        message: "what the provider took is booked as a refund, and the consultant bears the share",
      };
    case "kept":
      if (stored === undefined) return undefined;
      return { outcome: "kept", code, message: "the money stays; its hold is released" };
    case "open":
      if (decision.waitsForRefund)
        return {
          outcome: "waiting",
          code: "OURS_OPEN",
          message: "lost, and a refund of ours is not settled yet: booked by a later run",
        };
      return {
        outcome: "disputed",
        code,
        message: decision.holds
          ? "nothing goes back meanwhile, and the consultant is on hold"
          : "nothing goes back meanwhile",
      };
  }
}

function note(
  { report: counts, log }: EventPorts,
  { id, paymentId, amountPaise }: Pick<EventItem, "id" | "paymentId" | "amountPaise">,
  said: Pick<EventItem, "outcome" | "code" | "message">,
): void {
  countEvent(counts, { id, paymentId, amountPaise, ...said });
  log.info({ disputeId: id, paymentId, ...said }, said.message);
}
