import { recordFinding, type NewFinding } from "../findings/index.ts";
import { keyOf, takeLeg, type HeldLeg } from "./claim-leg.ts";
import type { OpenLeg } from "./open-legs.ts";
import type { LegResult } from "./outcome.ts";
import type { LegPorts } from "./ports.ts";
import { recordLeg, type LegNews } from "./record-leg.ts";
import { describe, newsOfRefund, REFUSED_ON_RESEND } from "./send-leg.ts";
import { bearsReceipt, type Answer, type ProviderRefund } from "../provider/index.ts";
import { paymentsFault } from "../provider/faults.ts";

/**
 * Ends doubt by asking the provider, and by nothing else: by the refund's id where there is one, else by our
 * receipt among the refunds of the payment. Found, the leg is settled as it is there. Certainly not there
 * and waited long enough, it is due again and leaves with the same key and bytes. No answer, or too soon: it
 * stays.
 *
 * @throws {LegLostError} when another run has taken the leg over
 */
export async function askProvider(ports: LegPorts, leg: OpenLeg): Promise<LegResult> {
  const answer = await lookUp(ports, leg);
  if (answer.kind === "refused") {
    // A payment or refund whose id we hold can not cease to exist: a person looks at it.
    return conflict(ports, leg, { kind: "provider-refund-missing", details: idsOf(leg) });
  }
  if (answer.kind !== "accepted") {
    const code = answer.kind === "unknown" ? answer.cause : answer.fault;
    const message = `the provider gave no usable answer: ${answer.detail}`;
    const result: LegResult = { outcome: "unanswered", code, message };
    return answer.kind === "systemic"
      ? { ...result, fault: paymentsFault(answer.fault, answer.detail) }
      : result;
  }
  const [refund, ...more] = answer.value;
  if (refund === undefined) return notThere(ports, leg);
  if (more.length > 0) {
    const details = { ...idsOf(leg), providerRefundIds: answer.value.map(({ id }) => id) };
    return conflict(ports, leg, { kind: "several-refunds", details });
  }
  if (refund.amountPaise !== leg.amountPaise) {
    const details = {
      ...idsOf(leg),
      providerRefundId: refund.id,
      oursPaise: leg.amountPaise,
      theirsPaise: refund.amountPaise,
    };
    return conflict(ports, leg, { kind: "refund-amount-differs", details });
  }
  return record(ports, leg, newsOfRefund(refund));
}

/** The provider's refunds for this leg: none, one, or — which must not be — several. */
async function lookUp(
  { payments, hardStop: signal }: LegPorts,
  { legId, providerPaymentId, providerRefundId }: OpenLeg,
): Promise<Answer<ProviderRefund[]>> {
  if (providerRefundId !== null) {
    const answer = await payments.fetchRefund(providerRefundId, { signal });
    return answer.kind === "accepted" ? { ...answer, value: [answer.value] } : answer;
  }
  const answer = await payments.listRefunds(providerPaymentId ?? "", { signal });
  if (answer.kind !== "accepted") return answer;
  return { ...answer, value: answer.value.filter((refund) => bearsReceipt(refund, keyOf(legId))) };
}

/** Certain only once the request has had the time to arrive. */
async function notThere(ports: LegPorts, leg: OpenLeg): Promise<LegResult> {
  if (leg.sentMsAgo === null || leg.sentMsAgo < ports.settings.waitMs) {
    const message = "the provider does not have it; it is too soon to be sure that it never will";
    return { outcome: "waiting", code: "NOT_FOUND_YET", message };
  }
  if (leg.failureCode === REFUSED_ON_RESEND) {
    const message = `the provider refused it and does not have it: ${leg.failureMessage ?? ""}`;
    return record(ports, leg, { to: "FAILED", code: REFUSED_ON_RESEND, message });
  }
  return record(ports, leg, { to: "DUE", everSent: true, code: "NEVER_ACCEPTED" });
}

async function record(ports: LegPorts, leg: OpenLeg, news: LegNews): Promise<LegResult> {
  const { db, dryRun, lease, runId, fence } = ports;
  if (dryRun) return describe(news);
  lease.assertTrusted();
  if (!(await takeLeg(db, { leg, runId, fence }))) {
    return { outcome: "skipped", code: "CLAIMED_ELSEWHERE", message: "another run is settling it" };
  }
  const { legId, refundId, paymentId } = leg;
  const held: HeldLeg = { legId, refundId, paymentId, runId };
  return { ...describe(news), settled: await recordLeg(db, held, news) };
}

/** Stores a difference for a person. The leg stays unchanged. */
async function conflict(
  { db, dryRun }: LegPorts,
  { refundId }: OpenLeg,
  finding: Pick<NewFinding, "kind" | "details">,
): Promise<LegResult> {
  if (!dryRun) {
    await recordFinding(db, {
      ...finding,
      severity: "critical",
      subjectType: "refund",
      subjectId: refundId,
    });
  }
  const message = "our record and the provider's differ; a finding is stored for a person";
  return { outcome: "conflict", code: finding.kind, message };
}

function idsOf({ legId, providerPaymentId, providerRefundId }: OpenLeg): Record<string, unknown> {
  return { refundLegId: legId, providerPaymentId, providerRefundId };
}
