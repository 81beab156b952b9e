/**
 * Whose payouts. All go the same way; they differ in what makes them due, in what is looked at once more
 * at the claim, and in where they are counted.
 */
export type PayeeKind = "consultant" | "organization";

/** In the order in which a run pays them. */
export const PAYEE_KINDS: readonly PayeeKind[] = ["consultant", "organization"];

export function kindOf({ organizationId }: { organizationId: string | null }): PayeeKind {
  return organizationId === null ? "consultant" : "organization";
}
