import { handleStuckPayouts } from "../../lib/payouts/stuck/handle-stuck.ts";
import { minutes } from "../../lib/support/clock.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { withProviderPorts, type ProviderRunOptions } from "./provider-run.ts";
import type { StuckReport } from "../../lib/payouts/stuck/index.ts";

/** One run of handle-stuck-payouts in this process, as the job makes it. */
export async function runStuck(
  options: ProviderRunOptions & { operators?: string },
): Promise<{ runId: string; verdict: Verdict; report: StuckReport }> {
  return withProviderPorts(options, "stuck run under test", (ports) =>
    handleStuckPayouts({
      ...ports,
      settings: {
        waitMs: minutes(60),
        alarmMs: minutes(24 * 60),
        operators: options.operators,
      },
    }),
  );
}
