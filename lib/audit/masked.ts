/**
 * Values of payees as the audit log may hold them: enough to recognize one that is known, too little to use it. The log is
 * read by many, and its entries are never deleted.
 */
const SHOWN = 4;

/** The last four characters, or two of a short text: `…4321`. Null stays null. */
function masked(value: string): string;
function masked(value: string | null): string | null;
function masked(value: string | null): string | null {
  if (value === null) return null;
  const shown = value.length > 2 * SHOWN ? SHOWN : Math.min(2, Math.floor(value.length / 2));
  return `…${shown === 0 ? "" : value.slice(-shown)}`;
}

/** `a…@demobank` would name a person in a small bank: only the handle is shown. */
function maskedVpa(vpa: string): string {
  return `…@${vpa.slice(vpa.lastIndexOf("@") + 1)}`.replace("@", " at ");
}

/** A payout account in words, such as `HDFC0001220 …8901`. Null: there was none. */
export function maskedAccount(
  account:
    | { kind: "bank_account"; ifsc: string; accountNumber: string }
    | { kind: "vpa"; vpa: string }
    | undefined,
): string | null {
  if (account === undefined) return null;
  if (account.kind === "vpa") return `VPA ${maskedVpa(account.vpa)}`;
  return `${account.ifsc} ${masked(account.accountNumber)}`;
}

/** The detail of an entry: the value before and after. Mask personal data first. */
export function change(before: unknown, after: unknown): { before: unknown; after: unknown } {
  return { before: before ?? null, after: after ?? null };
}
