import type { Db } from "../../db/client.ts";
import { recordFinding, type FindingKind } from "../../findings/index.ts";
import type { Lease } from "../../support/lease.ts";
import { ClaimLostError } from "./release.ts";
import { recordOutcome, settlementOf, type AttemptRef } from "./outcome.ts";
import type { InDoubt } from "./in-doubt.ts";
import { takeOverInDoubt } from "./take-over.ts";
import type { ProviderPayout } from "../../provider/index.ts";

/** A run that settles payouts which other runs left in doubt. */
export interface Settler {
  readonly runId: string;
  readonly dryRun: boolean;
  readonly db: Db;
  readonly lease: Lease;
  /** As the audit log names it: `job:<name>`. */
  readonly actor: string;
}

/** How an attempt in doubt ended. */
interface Ended {
  outcome: "settled" | "in-flight" | "conflict" | "skipped";
  code: string;
  message: string;
}

/**
 * Records the provider's state for an attempt in doubt. Several payouts for one reference, or another amount,
 * change nothing: they are a finding.
 */
export async function settleFound(
  settler: Settler,
  doubt: InDoubt,
  { found, httpStatus }: { found: readonly ProviderPayout[]; httpStatus: number },
): Promise<Ended> {
  const [provider, ...more] = found;
  if (provider === undefined || more.length > 0) {
    return conflict(settler, doubt, {
      kind: "several-live-payouts",
      details: { providerPayoutIds: found.map(({ id }) => id) },
    });
  }
  if (provider.amountPaise !== doubt.netPaise) {
    return conflict(settler, doubt, {
      kind: "amount-differs",
      details: {
        providerPayoutId: provider.id,
        oursPaise: doubt.netPaise,
        theirsPaise: provider.amountPaise,
      },
    });
  }
  const done = {
    code: provider.statusText,
    message: `the provider has it as ${provider.statusText}${provider.statusReason === null ? "" : ` (${provider.statusReason})`}`,
  };
  const outcome = settlementOf(provider) === "in-flight" ? "in-flight" : "settled";
  if (settler.dryRun) return { outcome, ...done };
  settler.lease.assertTrusted();
  return asHolder(settler, doubt, async (ref) => {
    const body = { id: provider.id, status: provider.statusText, utr: provider.utr };
    await recordOutcome(settler.db, ref, { kind: "accepted", provider, httpStatus, body });
    return { outcome, ...done };
  });
}

/** Takes the payout over and settles it; a faster session has done so already. */
export async function asHolder<T>(
  { db, runId, lease, actor }: Settler,
  doubt: InDoubt,
  body: (ref: AttemptRef) => Promise<T>,
): Promise<T | Ended> {
  const elsewhere: Ended = {
    outcome: "skipped",
    code: "CLAIMED_ELSEWHERE",
    message: "another run is settling it",
  };
  if (!(await takeOverInDoubt(db, doubt, { runId, fence: lease.fence }))) return elsewhere;
  try {
    return await body({ attemptId: doubt.attemptId, payoutId: doubt.payoutId, runId, actor });
  } catch (error) {
    if (error instanceof ClaimLostError) return elsewhere;
    throw error;
  }
}

/** Stores a difference for a person. The payout stays unchanged. */
export async function conflict(
  { db, dryRun }: Settler,
  doubt: InDoubt,
  finding: { kind: FindingKind; details: Record<string, unknown> },
): Promise<Ended> {
  if (!dryRun) {
    await recordFinding(db, {
      ...finding,
      severity: "critical",
      subjectType: "payout",
      subjectId: doubt.payoutId,
    });
  }
  return {
    outcome: "conflict",
    code: finding.kind,
    message: "our record and the provider's differ; a finding is stored for a person",
  };
}
