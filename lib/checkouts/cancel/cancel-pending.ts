import type { Db } from "../../db/client.ts";
import { annotateReleased } from "../annotate.ts";
import { planRelease, releaseHold, type KeepReason } from "../release-hold.ts";
import type { RunContext } from "../../support/run-context.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import type { CheckoutSettings } from "../provider/settings.ts";
import type { CancelReason } from "./reasons.ts";
import { cancelReport, type CancelReport } from "./report.ts";
import type { PaymentProvider } from "../../provider/index.ts";

const ACTOR = "job:payments/cancel-pending";

interface CancelPorts extends Pick<
  RunContext<Pick<CheckoutSettings, "offerMs">>,
  "dryRun" | "settings" | "lease" | "random" | "log" | "signal"
> {
  readonly db: Db;
  readonly gateway: PaymentProvider;
}

/**
 * Ends one open checkout for the user whose it is, on purpose: money that comes for it later goes back. Exactly one of several that try it does; the others, and
 * one that meets a capture, are told of a conflict, which is an answer and not an error.
 *
 * @throws {AfterhoursError} `ID_INVALID` for an id that is missing or malformed
 */
export async function cancelPending(
  ports: CancelPorts,
  {
    paymentId,
    userId,
    because = "cancelled",
  }: { paymentId: string; userId: string; because?: CancelReason },
): Promise<CoreResult<CancelReport>> {
  const { dryRun, db, settings, random, signal } = ports;
  const subject = { dryRun, paymentId };
  const target = { by: "payment", paymentId, userId } as const;
  if (dryRun) {
    const plan = await planRelease(db, target);
    return plan.kind === "cancelled"
      ? answer(cancelReport(subject, { result: plan.kind }, plan))
      : answer(cancelReport(subject, whyNot(plan)));
  }
  ports.lease.assertTrusted();
  const release = await releaseHold(db, target, {
    actor: ACTOR,
    because,
    offerMs: settings.offerMs,
    random,
    signal,
  });
  if (signal.aborted && release.kind === "conflict" && release.why === "write-conflict") {
    return { verdict: { kind: "interrupted" }, report: cancelReport(subject, whyNot(release)) };
  }
  if (release.kind !== "cancelled") return answer(cancelReport(subject, whyNot(release)));
  const { orderId } = release;
  const orderAnnotated = orderId !== null && (await annotateReleased(ports, { orderId }));
  return answer(cancelReport(subject, { result: "cancelled", orderAnnotated }, release));
}

function whyNot(release: { kind: "not-found" } | { kind: "conflict"; why: KeepReason }): {
  result: "not-found" | "conflict";
  why: KeepReason | null;
} {
  return { result: release.kind, why: release.kind === "conflict" ? release.why : null };
}

const CONFLICTS: Record<KeepReason, string> = {
  paid: "it is paid, and its booking is confirmed",
  captured: "it was captured, and goes back or is booked by another job",
  confirmed: "its booking is confirmed",
  ended: "it has ended before",
  renewed: "it was changed a moment ago",
  "write-conflict": "other sessions changed the same rows in every try",
};

function answer(report: CancelReport): CoreResult<CancelReport> {
  return { verdict: verdictOf(report), report };
}

function verdictOf({ result, why, paymentId }: CancelReport): Verdict {
  if (result === "cancelled") return { kind: "completed" };
  if (result === "not-found") {
    return {
      kind: "failed",
      code: "not-found",
      message: `This user has no payment ${paymentId}.`,
      remedy: "Check both ids; nothing was changed.",
    };
  }
  return {
    kind: "failed",
    code: "conflict",
    message: `Payment ${paymentId} was not cancelled by this run: ${CONFLICTS[why ?? "ended"]}.`,
    remedy:
      why === "write-conflict"
        ? "Nothing was changed. Run it again in a moment."
        : "Nothing was changed, and there is nothing left to cancel.",
  };
}
