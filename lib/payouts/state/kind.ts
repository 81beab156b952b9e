/**
 * The kind of payee. All payouts follow the same path. They differ in the condition for being due, in one more
 * check at the claim, and in their counters.
 */
export type PayeeKind = "consultant" | "organization";

/** In the order in which a run pays them. */
export const PAYEE_KINDS: readonly PayeeKind[] = ["consultant", "organization"];

export function kindOf({ organizationId }: { organizationId: string | null }): PayeeKind {
  return organizationId === null ? "consultant" : "organization";
}
