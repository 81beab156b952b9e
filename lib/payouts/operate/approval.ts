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
    "four-eyes: the database login that imported earnings of a payout, made it or placed its account can not approve it, nor can the same name, and import --approve is refused",
  allowed: { oneOf: APPROVAL_POLICIES },
} satisfies EnvironmentVariable;

/** Undefined when the variable holds something else: nobody should approve by a policy that was meant and not understood. */
export function approvalPolicy(env: Env): ApprovalPolicy | undefined {
  const value = present(env, approvalVariable.name) ?? approvalVariable.default;
  return APPROVAL_POLICIES.find((policy) => policy === value);
}

/**
 * A refusal when the policy wants two people and the operator has already acted on the payout. Two people are
 * two logins of the database, which records logins on its own. A name is a claim, and counts only against the
 * person who gives it. Imports from before logins were recorded are known by the names of the audit log alone.
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
  const hands = await handsIn(tx, payout);
  const byLogin = hands.filter(({ isOwnLogin }) => isOwnLogin);
  if (byLogin.length > 0) {
    const login = byLogin[0]?.login ?? "";
    return {
      code: "FOUR_EYES",
      message: `the database login ${login}, which you use, ${didOf(byLogin)}, and PAYOUTS_APPROVAL is four-eyes`,
      remedy:
        "Nothing was changed. Let another person approve it, with a login of their own: with one login for all nobody can (docs/security.md#roles).",
    };
  }
  const byName = hands.filter(
    ({ actor }) => actor !== null && personOf(actor) === personOf(operator.by),
  );
  if (byName.length === 0) return undefined;
  return {
    code: "FOUR_EYES",
    message: `${operator.by} ${didOf(byName)}, and PAYOUTS_APPROVAL is four-eyes`,
    remedy: "Nothing was changed. Let another person approve it.",
  };
}

interface Hand {
  did: string;
  /** The name that was given; null where nothing is in the audit log. */
  actor: string | null;
  /** The login of the session; null before it was recorded. */
  login: string | null;
  /** Whether the session that asks has this login. */
  isOwnLogin: boolean;
}

function didOf(hands: readonly Hand[]): string {
  return [...new Set(hands.map(({ did }) => did))].join(" and ");
}

/**
 * The people who acted on a payout. A job that made it is no person; but where people use the job's login, they
 * cannot be told from the job. The entries of an import have the time of its transaction, as its earnings and
 * accounts have.
 */
async function handsIn(tx: DbSession, { id, consultantId }: LockedPayout): Promise<Hand[]> {
  return tx.query<Hand[]>`
    SELECT DISTINCT hand.did, CASE WHEN hand.actor NOT LIKE 'job:%' THEN hand.actor END AS actor, hand.login,
           COALESCE(hand.login = session_user, false) AS "isOwnLogin"
    FROM (
      SELECT 'made it' AS did, actor, login FROM audit_log
      WHERE subject_type = 'payout' AND subject_id = ${id} AND action LIKE 'created-%'
      UNION ALL
      SELECT 'imported its earnings', entry.actor, COALESCE(earning.created_login, entry.login)
      FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
      LEFT JOIN audit_log AS entry
        ON entry.subject_type = 'consultant' AND entry.subject_id = earning.consultant_id::text
       AND entry.category = 'import' AND entry.at = earning.created_at
      WHERE item.payout_id = ${id}::uuid
      UNION ALL
      SELECT 'placed its account', entry.actor, COALESCE(account.placed_login, entry.login)
      FROM payout_accounts AS account
      LEFT JOIN audit_log AS entry
        ON entry.subject_type = 'consultant' AND entry.subject_id = account.consultant_id::text
       AND entry.category = 'account' AND entry.at = account.created_at
      WHERE account.consultant_id = ${consultantId}::uuid AND account.active
    ) AS hand
    ORDER BY hand.did, actor, hand.login`;
}

/** One name, however it is typed. */
function personOf(name: string): string {
  return name.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();
}
