/** A challan as the quarterly statement names it, beside its date. */
export interface ChallanNumber {
  /** The bank's branch: seven digits. */
  bsrCode: string;
  /** Five digits. */
  serial: string;
}

/**
 * Branch and serial number out of a reference that is written as on the receipt: `0510308 05-08-2026 00012`.
 * Undefined where it is written otherwise; the reference is then all that is known.
 */
export function parseChallan(reference: string): ChallanNumber | undefined {
  const [, bsrCode, serial] = /^([0-9]{7})\b.*\b([0-9]{5})$/.exec(reference.trim()) ?? [];
  return bsrCode === undefined || serial === undefined ? undefined : { bsrCode, serial };
}
