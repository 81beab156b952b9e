import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import { assess } from "./assess.ts";
import type { PayeeProfile } from "./assess-credits.ts";
import { covers } from "./certificate.ts";
import { ratesOn } from "./law.ts";
import type { TaxPolicy } from "./policy.ts";
import type { AssessmentInput, CertificateUse, PanStatus } from "./types.ts";

/** A line of `tax_deductions`, as it was assessed or taken back. */
export interface RecordedLine {
  id: string;
  payoutId: string;
  /** The payout's available money before tax. */
  payoutPaise: Paise;
  fiscalYear: number;
  creditedOn: Day;
  grossPaise: Paise;
  taxPaise: Paise;
  rateBps: number;
  /** The certificate, and the part of its ceiling that was used. */
  certificateId: string | null;
  certificateGrossPaise: Paise;
  /** The identity on which it rests; null: assessed before that was kept. */
  panStatus: PanStatus | null;
  aadhaar: boolean | null;
  /** Whether the payee was marked as likely to exceed the threshold; null: assessed before that was kept. */
  likelyToExceed?: boolean | null;
  /** The line that it takes back. */
  reversesId: string | null;
}

/** The assessed tax of one person's year, and the withheld tax. */
interface YearDifference {
  fiscalYear: number;
  expectedPaise: Paise;
  actualPaise: Paise;
}

/** A line that counts, with the tax that the engine gives it. */
interface LiveLine extends RecordedLine {
  expectedPaise: Paise;
  expectedCarriedPaise: Paise;
  expectedCertificatePaise: Paise;
}

/**
 * Assesses a person's lines again, in the order in which they were assessed, each on the year that the ones before
 * it leave, and compares the sums. Lines that were taken back count until they were; a payout's money limits its
 * tax as it did then. Pure.
 *
 * Of the profile, category, days of relief and certificates are those of today: a relief reaches back. The PAN's
 * status is that of the time, since 5% that was rightly taken stays when a PAN is furnished later.
 */
export function replayLines(
  lines: readonly RecordedLine[],
  person: {
    profile: PayeeProfile;
    certificateIds: ReadonlyMap<string, string>;
    /** The years to assess again; lines of others are taken as they are. */
    years: ReadonlySet<number>;
  },
  policy: TaxPolicy,
): YearDifference[] {
  const live = new Map<string, LiveLine>();
  const inHand = new Map<string, Paise>();
  for (const recorded of lines) {
    const line = withCanonicalCertificate(recorded, person.certificateIds);
    if (line.reversesId !== null) {
      takeBack(live, line);
      // Claimed again, the payout has all of its money again.
      inHand.delete(line.payoutId);
      continue;
    }
    const left = inHand.get(line.payoutId) ?? line.payoutPaise;
    const counted = person.years.has(line.fiscalYear)
      ? assessAgain(line, { live, left, profile: person.profile, policy })
      : asRecorded(line);
    live.set(line.id, counted);
    inHand.set(line.payoutId, left - counted.expectedPaise);
  }
  return [...person.years].flatMap((fiscalYear) => {
    const own = [...live.values()].filter((line) => line.fiscalYear === fiscalYear);
    const expectedPaise = sum(own.map((line) => line.expectedPaise));
    const actualPaise = sum(own.map((line) => line.taxPaise));
    return expectedPaise === actualPaise ? [] : [{ fiscalYear, expectedPaise, actualPaise }];
  });
}

function withCanonicalCertificate(
  line: RecordedLine,
  certificateIds: ReadonlyMap<string, string>,
): RecordedLine {
  if (line.certificateId === null) return line;
  return { ...line, certificateId: certificateIds.get(line.certificateId) ?? line.certificateId };
}

function takeBack(live: Map<string, LiveLine>, reversal: RecordedLine): void {
  const id = reversal.reversesId ?? "";
  const original = live.get(id);
  if (!original) return;
  if (original.grossPaise === -reversal.grossPaise && original.taxPaise === -reversal.taxPaise) {
    live.delete(id);
    return;
  }
  // A partial correction by hand: its amounts are taken as right.
  live.set(id, {
    ...original,
    grossPaise: original.grossPaise + reversal.grossPaise,
    taxPaise: original.taxPaise + reversal.taxPaise,
    expectedPaise: original.expectedPaise + reversal.taxPaise,
    expectedCarriedPaise: 0n,
    expectedCertificatePaise: original.expectedCertificatePaise + reversal.certificateGrossPaise,
  });
}

function asRecorded(line: RecordedLine): LiveLine {
  const { taxPaise: expectedPaise, certificateGrossPaise: expectedCertificatePaise } = line;
  return { ...line, expectedPaise, expectedCarriedPaise: 0n, expectedCertificatePaise };
}

function assessAgain(
  line: RecordedLine,
  {
    live,
    left,
    profile,
    policy,
  }: {
    live: ReadonlyMap<string, LiveLine>;
    left: Paise;
    profile: PayeeProfile;
    policy: TaxPolicy;
  },
): LiveLine {
  const before = [...live.values()];
  const year = before.filter(({ fiscalYear }) => fiscalYear === line.fiscalYear);
  const input: AssessmentInput = {
    creditedOn: line.creditedOn,
    payeeCategory: profile.category,
    resident: true,
    ...identityOf(line, profile),
    likelyToExceed: line.likelyToExceed ?? false,
    ...(profile.panRelief && { panRelief: profile.panRelief }),
    grossPaise: line.grossPaise,
    yearGrossBeforePaise: sum(year.map(({ grossPaise }) => grossPaise)),
    yearTaxBeforePaise: sum(year.map(({ expectedPaise }) => expectedPaise)),
    yearCreditsBefore: year,
    certificates: certificatesOf(line, { before, year, profile }),
    paymentPaise: left,
    carriedForwardBeforePaise: year.at(-1)?.expectedCarriedPaise ?? 0n,
  };
  const assessed = assess(input, policy);
  if (assessed.error) return asRecorded(line);
  return {
    ...line,
    expectedPaise: assessed.taxPaise,
    expectedCarriedPaise: assessed.carriedForwardPaise,
    expectedCertificatePaise: assessed.certificateGrossPaise,
    certificateId: assessed.certificateId,
  };
}

/**
 * The identity of the time where it is known, else today's. One that was taxed as nobody then and has a PAN today
 * furnished it in between, unless days of relief say that the PAN counted already.
 */
function identityOf(
  line: RecordedLine,
  { panStatus, panRelief, aadhaar }: PayeeProfile,
): Pick<AssessmentInput, "panStatus" | "aadhaar"> {
  if (line.panStatus !== null && line.aadhaar !== null)
    return { panStatus: line.panStatus, aadhaar: line.aadhaar };
  const hadNone = line.rateBps === ratesOn(line.creditedOn)?.noPanRateBps;
  if (hadNone && panStatus === "valid" && !(panRelief && covers(panRelief, line.creditedOn)))
    return { panStatus: "missing", aadhaar: false };
  return { panStatus, aadhaar };
}

/**
 * The line's own certificate may cover it, within the rest of the ceiling. For any other certificate only its
 * earlier cover is known, not whether it was on record at the time.
 */
function certificatesOf(
  line: RecordedLine,
  {
    before,
    year,
    profile,
  }: { before: readonly LiveLine[]; year: readonly LiveLine[]; profile: PayeeProfile },
): CertificateUse[] {
  const used = (lines: readonly LiveLine[], id: string): Paise =>
    sum(
      lines
        .filter(({ certificateId }) => certificateId === id)
        .map(({ expectedCertificatePaise }) => expectedCertificatePaise),
    );
  return profile.certificates.map((certificate) => {
    const usedPaise = used(before, certificate.id);
    return {
      ...certificate,
      ceilingPaise: certificate.id === line.certificateId ? certificate.ceilingPaise : usedPaise,
      usedPaise,
      usedInYearPaise: used(year, certificate.id),
    };
  });
}

function sum(amounts: readonly Paise[]): Paise {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
