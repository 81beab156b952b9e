import type { Day } from "../support/calendar.ts";
import { minPaise } from "../support/money.ts";
import type { Paise } from "../support/money.ts";
import type { Certificate, CertificateUse, DayRange } from "./types.ts";

/** How far a certificate covers a credit. */
export interface CertificateCover {
  readonly coveredPaise: Paise;
  /** The certificate that covers it; none when nothing is covered. */
  readonly certificate: CertificateUse | undefined;
  /** Whether any certificate is valid on the day, even one with an exhausted ceiling. */
  readonly inForce: boolean;
}

/** Without a certificate. */
export const noCover: CertificateCover = {
  coveredPaise: 0n,
  certificate: undefined,
  inForce: false,
};

/**
 * The first certificate that is valid on the rate date and below its ceiling, and the part of the gross that the
 * ceiling still covers. A credit uses one certificate at most.
 */
export function certificateCover(
  certificates: readonly CertificateUse[] | undefined,
  credit: { rateDate: Day; grossPaise: Paise },
): CertificateCover {
  if (!certificates || certificates.length === 0) return noCover;
  let inForce = false;
  for (const certificate of certificates) {
    if (!covers(certificate, credit.rateDate)) continue;
    inForce = true;
    const leftPaise = certificate.ceilingPaise - certificate.usedPaise;
    if (leftPaise <= 0n || credit.grossPaise === 0n) continue;
    return { coveredPaise: minPaise(credit.grossPaise, leftPaise), certificate, inForce };
  }
  return { coveredPaise: 0n, certificate: undefined, inForce };
}

/** A certificate lowers the rate in force and never raises it. */
export function certifiedRateBps(certificate: Certificate, rateBps: number): number {
  return Math.min(certificate.rateBps, rateBps);
}

export function covers(range: DayRange, day: Day): boolean {
  return range.from <= day && day <= range.to;
}
