import type { Random } from "../support/random.ts";
import type { Redactor } from "../support/redact.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import { createRazorpayX } from "./client.ts";
import type { PayoutProvider } from "../provider/payout-provider.ts";
import { dryRunRefusal, logRetries } from "./dry-run.ts";
import type { RazorpayXSettings } from "./contract.ts";

/**
 * The provider as a job uses it: repeats are logged, and in a dry run every call that would change
 * anything there is refused before it leaves.
 */
export function openGateway(
  settings: RazorpayXSettings,
  {
    clock,
    random,
    redactor,
    log,
    dryRun,
  }: { clock: Clock; random: Random; redactor?: Redactor; log: Log; dryRun: boolean },
): PayoutProvider {
  const client = createRazorpayX(settings, {
    clock,
    random,
    ...(redactor ? { redactor } : {}),
    onRetry: logRetries(log),
  });
  if (!dryRun) return client;
  return {
    ...client,
    createContact: dryRunRefusal("createContact"),
    createFundAccount: dryRunRefusal("createFundAccount"),
    createPayout: dryRunRefusal("createPayout"),
    cancelPayout: dryRunRefusal("cancelPayout"),
  };
}
