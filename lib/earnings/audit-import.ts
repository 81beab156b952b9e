import type { ClientBase } from "pg";
import { recordAuditsOn, type AuditEntry } from "../audit/audit-log.ts";
import { change, maskedAccount } from "../audit/masked.ts";
import type { NewPayout } from "./approve.ts";
import { batches } from "./batches.ts";
import type { ImportPlan } from "./plan.ts";
import type { Written } from "./write.ts";

/** The importing person's name, the reason, and the file: a claim, as in every entry of the audit log. */
export interface Importer {
  by: string;
  reason: string | null;
  /** The file's name and the flags of the import, such as `--update-accounts`. */
  file?: string;
  said?: Readonly<Record<string, unknown>>;
}

/**
 * Records an import: each consultant's new earnings, each changed account with the previous one, each approved
 * payout, and the import itself. An import without changes records nothing. Belongs into the import's
 * transaction: an earning's importer is found by the equal times of entries and rows.
 */
export async function auditImport(
  client: ClientBase,
  {
    importer,
    plan,
    written,
    payouts,
  }: {
    importer: Importer;
    plan: ImportPlan;
    written: Written;
    payouts: readonly NewPayout[];
  },
): Promise<void> {
  const { by: actor, reason, file = null, said = {} } = importer;
  const entries: AuditEntry[] = [
    ...accountEntries(plan, written),
    ...earningEntries(plan, written),
    ...payouts.map(({ id, amountPaise, earnings }) => ({
      category: "payout",
      action: "created-approved",
      subjectType: "payout" as const,
      subjectId: id,
      detail: { amountPaise, earnings, by: "import --approve" },
    })),
  ].map((entry) => ({ actor, reason, ...entry, detail: { ...entry.detail, file } }));
  if (entries.length === 0) return;
  entries.push({
    actor,
    reason,
    category: "import",
    action: payouts.length > 0 ? "imported-and-approved" : "imported",
    subjectType: "import",
    subjectId: file ?? "without a name",
    detail: {
      ...said,
      consultants: { new: written.added.length, known: plan.knownConsultants.length },
      earnings: plan.newEarnings.length,
      earningsPaise: plan.newEarnings.reduce((sum, { amountPaise }) => sum + amountPaise, 0n),
      accountsReplaced: plan.replacedAccounts,
      payouts: payouts.length,
      payoutsPaise: payouts.reduce((sum, { amountPaise }) => sum + amountPaise, 0n),
    },
  });
  for (const batch of batches(entries)) await recordAuditsOn(client, batch);
}

type Entry = Omit<AuditEntry, "actor" | "reason">;

function accountEntries(plan: ImportPlan, { added }: Written): Entry[] {
  const first = added.map((each) => ({ ...each, before: undefined, hasBefore: false }));
  return [...plan.newAccounts, ...first].map(({ consultantId, details, before, hasBefore }) => ({
    category: "account",
    action: hasBefore ? "replaced" : "placed",
    subjectType: "consultant",
    subjectId: consultantId,
    detail: change(maskedAccount(before), maskedAccount(details.account)),
  }));
}

function earningEntries(plan: ImportPlan, { idByRef }: Written): Entry[] {
  const sums = new Map<string, { earnings: number; amountPaise: bigint }>();
  for (const { consultantRef, amountPaise } of plan.newEarnings) {
    const sum = sums.get(consultantRef) ?? { earnings: 0, amountPaise: 0n };
    sum.earnings++;
    sum.amountPaise += amountPaise;
    sums.set(consultantRef, sum);
  }
  return [...sums].flatMap(([ref, sum]) => {
    const subjectId = idByRef.get(ref);
    if (subjectId === undefined) return [];
    const subjectType = "consultant" as const;
    return [
      {
        category: "import",
        action: "earnings-imported",
        subjectType,
        subjectId,
        detail: { ...sum },
      },
    ];
  });
}
