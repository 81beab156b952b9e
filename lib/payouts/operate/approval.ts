import type { DbSession } from "../../db/client.ts";
import { present, type Env, type EnvironmentVariable } from "../../support/environment.ts";
import type { Operator, Refusal } from "./change.ts";
import type { LockedPayout } from "./locked-payout.ts";

/** Whether one person may bring earnings in and approve their payout. */
export const APPROVAL_POLICIES = ["one-person", "four-eyes"] as const;
export type ApprovalPolicy = (typeof APPROVAL_POLICIES)[number];

/** Read by the commands `payouts` and `import:earnings`, by no job. */
export const approvalVariable = {
  name: "PAYOUTS_APPROVAL",
  required: false,
  default: "one-person",
  description:
    "four-eyes: who imported earnings of a payout, made it or placed its account can not approve it, and import --approve is refused",
  allowed: { oneOf: APPROVAL_POLICIES },
} satisfies EnvironmentVariable;

/** Undefined when the variable holds something else: nobody should approve by a policy that was meant and not understood. */
export function approvalPolicy(env: Env): ApprovalPolicy | undefined {
  const value = present(env, approvalVariable.name) ?? approvalVariable.default;
  return APPROVAL_POLICIES.find((policy) => policy === value);
}

/**
 * A refusal when the policy wants two people and the operator had a hand in the payout before. By the audit log: what was
 * imported before the log knew of imports has no maker, and anybody may approve it.
 */
export async function sameHandRefusal(
  tx: DbSession,
  {
    payout,
    operator,
    policy,
  }: { payout: LockedPayout; operator: Operator; policy: ApprovalPolicy },
): Promise<Refusal | undefined> {
  if (policy === "one-person") return undefined;
  const hands = await makersOf(tx, payout);
  const own = hands.filter(({ actor }) => personOf(actor) === personOf(operator.by));
  if (own.length === 0) return undefined;
  return {
    code: "FOUR_EYES",
    message: `${operator.by} ${own.map(({ did }) => did).join(" and ")}, and PAYOUTS_APPROVAL is four-eyes`,
    remedy: "Let another person approve it.",
  };
}

/**
 * Who had a hand in a payout, jobs left out. The entries of an import have the time of its transaction, as its earnings
 * and accounts have.
 */
async function makersOf(
  tx: DbSession,
  { id, consultantId }: LockedPayout,
): Promise<{ actor: string; did: string }[]> {
  return tx.query<{ actor: string; did: string }[]>`
    SELECT DISTINCT hand.actor, hand.did FROM (
      SELECT actor, 'made it' AS did FROM audit_log
      WHERE subject_type = 'payout' AND subject_id = ${id} AND action LIKE 'created-%'
      UNION ALL
      SELECT entry.actor, 'imported its earnings'
      FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
      JOIN audit_log AS entry
        ON entry.subject_type = 'consultant' AND entry.subject_id = earning.consultant_id::text
       AND entry.category = 'import' AND entry.at = earning.created_at
      WHERE item.payout_id = ${id}::uuid
      UNION ALL
      SELECT entry.actor, 'placed its account'
      FROM payout_accounts AS account
      JOIN audit_log AS entry
        ON entry.subject_type = 'consultant' AND entry.subject_id = account.consultant_id::text
       AND entry.category = 'account' AND entry.at = account.created_at
      WHERE account.consultant_id = ${consultantId}::uuid AND account.active
    ) AS hand
    WHERE hand.actor NOT LIKE 'job:%'
    ORDER BY hand.did, hand.actor`;
}

/** One name, however it is typed. */
function personOf(name: string): string {
  return name.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();
}
