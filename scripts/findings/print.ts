import type { Finding, Resolution } from "../../lib/findings/index.ts";
import { createRedactor } from "../../lib/support/redact.ts";
import { istMinute, oneLine, section, table } from "../payouts/print.ts";

/** Details hold what a provider said, and people write reasons. */
const redactor = createRedactor();

export function findingLines(findings: readonly Finding[]): string[] {
  return table(
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

export function showFindingLines(finding: Finding): string[] {
  const facts: [string, string][] = [
    ["Kind", finding.kind],
    ["Severity", finding.severity],
    ["About", redactor.text(`${finding.subjectType} ${finding.subjectId}`)],
    ["First seen", `${istMinute(finding.firstSeenAt)} IST`],
    ["Last seen", `${istMinute(finding.lastSeenAt)} IST`],
    ...(finding.resolvedAt === null
      ? ([["Resolved", "no"]] satisfies [string, string][])
      : ([
          [
            "Resolved",
            `${istMinute(finding.resolvedAt)} IST by ${redactor.text(finding.resolvedBy ?? "")}`,
          ],
          ["Because", redactor.text(finding.resolution ?? "")],
        ] satisfies [string, string][])),
  ];
  return [
    `Finding ${finding.id}`,
    ...facts.map(([label, value]) => `  ${label.padEnd(10)}  ${oneLine(value)}`),
    ...section("Details", detailLines(finding.details)),
  ];
}

function detailLines(details: unknown): string[] {
  const masked = redactor.value(details);
  const entries =
    typeof masked === "object" && masked !== null ? Object.entries(masked) : [["", masked]];
  return table(
    ["What", "Value"],
    entries.map(([name, value]) => [
      String(name),
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
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
