import type { CoreResult } from "../support/verdict.ts";
import { followDisputes } from "./disputes.ts";
import { countOpenFindings, judgeEvents } from "./judge.ts";
import { followOutsideRefunds } from "./outside-refunds.ts";
import type { EventPorts } from "./ports.ts";
import { emptyEventReport, type PaymentEventReport } from "./report.ts";

/**
 * Reads what happens at the provider to captured payments without a request of ours: refunds made in its dashboard,
 * and disputes. Books certain ones, and leaves the rest to a person. A list that can not be read stops the other
 * one from nothing.
 */
export async function reconcilePayments(
  ports: Omit<EventPorts, "report">,
): Promise<CoreResult<PaymentEventReport>> {
  const report = emptyEventReport(ports.dryRun);
  try {
    const own: EventPorts = { ...ports, report };
    const refunds = await followOutsideRefunds(own);
    if (refunds?.kind === "interrupted") return { verdict: refunds, report };
    const disputes = await followDisputes(own);
    const open = await countOpenFindings(ports.db);
    report.openFindings = open.unmatched + open.disputes;
    return { verdict: refunds ?? disputes ?? judgeEvents(report, open), report };
  } catch (error) {
    return { verdict: { kind: "broken", error }, report };
  }
}
