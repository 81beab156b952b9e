import type { Finding, FindingPayout, Resolution } from "../../../lib/findings/index.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import { redactor } from "../frame/redactor.ts";
import { istMinute } from "../../../lib/support/calendar.ts";
import { oneLine } from "../../../lib/support/one-line.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { page, section, type Columns, type Fact } from "../frame/print.ts";

export const FINDING_COLUMNS: Columns<Finding> = {
  id: true,
  kind: true,
  severity: true,
  subjectType: true,
  subjectId: true,
  firstSeenAt: true,
  lastSeenAt: true,
  resolvedAt: true,
  resolvedBy: true,
  resolution: true,
  resolvedLogin: true,
  details: true,
  firstDetails: true,
};

/** Details hold the provider's words, and people write reasons. */

export function findingLines(findings: readonly Finding[]): string[] {
  return textTable(
    ["Finding", "Severity", "Kind", "About", "First seen (IST)", "Last seen (IST)", "Resolved by"],
    findings.map((finding) => [
      finding.id,
      finding.severity,
      finding.kind,
      redactor.text(`${finding.subjectType} ${finding.subjectId}`),
      istMinute(finding.firstSeenAt),
      istMinute(finding.lastSeenAt),
      redactor.text(finding.resolvedBy ?? ""),
    ]),
  );
}

export function showFindingLines(
  finding: Finding,
  payouts: readonly FindingPayout[] = [],
): string[] {
  const facts: Fact[] = [
    ["Kind", finding.kind],
    ["Severity", finding.severity],
    ["About", redactor.text(`${finding.subjectType} ${finding.subjectId}`)],
    ["First seen", `${istMinute(finding.firstSeenAt)} IST`],
    ["Last seen", `${istMinute(finding.lastSeenAt)} IST`],
    ...(finding.resolvedAt === null
      ? ([["Resolved", "no"]] satisfies Fact[])
      : ([
          [
            "Resolved",
            `${istMinute(finding.resolvedAt)} IST by ${redactor.text(finding.resolvedBy ?? "")}${finding.resolvedLogin === null ? "" : `, login ${finding.resolvedLogin}`}`,
          ],
          ["Because", redactor.text(finding.resolution ?? "")],
        ] satisfies Fact[])),
  ];
  return [
    ...page(`Finding ${finding.id}`, facts),
    ...section("Details", detailLines(finding.details)),
    ...(isChanged(finding) ? section("When first seen", detailLines(finding.firstDetails)) : []),
    ...(payouts.length === 0 ? [] : section("Payouts it names", payoutLines(payouts))),
    "",
    `What to do: docs/runbooks.md, section ${finding.kind}`,
  ];
}

/** Whether the details are others than those with which it was opened. */
function isChanged({ details, firstDetails }: Finding): boolean {
  return firstDetails !== null && JSON.stringify(firstDetails) !== JSON.stringify(details);
}

function payoutLines(payouts: readonly FindingPayout[]): string[] {
  return textTable(
    ["Payee", "Payout", "Status", "Net", "Attempt", "Provider's id", "UTR", "Sent (IST)"],
    payouts.map((payout) => [
      payout.organizationRef === null
        ? payout.consultantRef
        : `${payout.consultantRef} for ${payout.organizationRef}`,
      payout.payoutId,
      payout.status,
      payout.netPaise === null ? "-" : formatRupees(payout.netPaise),
      payout.attemptNo === null ? "-" : String(payout.attemptNo),
      payout.providerPayoutId ?? "-",
      payout.utr ?? "-",
      payout.sentAt === null ? "-" : istMinute(payout.sentAt),
    ]),
  );
}

function detailLines(details: unknown): string[] {
  const masked = redactor.value(details);
  const entries =
    typeof masked === "object" && masked !== null ? Object.entries(masked) : [["", masked]];
  return textTable(
    ["", ""],
    entries.map(([name, value]) => [wordsOf(String(name)), shown(String(name), value)]),
  ).slice(1);
}

/** `providerPayoutId` to `Provider payout id`, `amountPaise` to `Amount`. */
function wordsOf(name: string): string {
  const words = name
    .replace(/Paise$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Amounts in rupees, instants in Indian time, lists with commas. */
function shown(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => shown(name, item)).join(", ");
  if (name.endsWith("Paise") && /^-?\d+$/.test(String(value)))
    return formatRupees(BigInt(String(value)));
  if (typeof value === "string")
    return INSTANT.test(value) ? `${istMinute(new Date(value))} IST` : value;
  return value === null || value === undefined ? "-" : JSON.stringify(value);
}

/** One line for a finding that was resolved, or for one that was not. */
export function resolutionLine({ id }: Finding, resolution: Resolution): string {
  switch (resolution.outcome) {
    case "resolved":
      return oneLine(`resolved  ${id}  ${resolution.kind}`);
    case "already": {
      const { by, at, reason } = resolution;
      const said = redactor.text(`resolved already by ${by} on ${istMinute(at)} IST: ${reason}`);
      return oneLine(`not resolved  ${id}  ${said}`);
    }
    case "unknown":
      return oneLine(`not resolved  ${id}  there is no such finding any more`);
  }
}
