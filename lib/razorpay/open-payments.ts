import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { Random } from "../support/random.ts";
import type { Redactor } from "../support/redact.ts";
import { dryRunRefusal, logRetries } from "./dry-run.ts";
import { createRazorpayPayments } from "./payments-client.ts";
import type { PaymentProvider } from "../provider/payment-provider.ts";
import type { RazorpayPaymentsSettings } from "./contract.ts";

/**
 * The payments side as a job uses it: repeats are logged, and in a dry run every call that would
 * change anything there is refused before it leaves.
 */
export function openPayments(
  settings: RazorpayPaymentsSettings,
  {
    clock,
    random,
    redactor,
    log,
    dryRun,
  }: { clock: Clock; random: Random; redactor?: Redactor; log: Log; dryRun: boolean },
): PaymentProvider {
  const client = createRazorpayPayments(settings, {
    clock,
    random,
    ...(redactor ? { redactor } : {}),
    onRetry: logRetries(log),
  });
  if (!dryRun) return client;
  return {
    ...client,
    annotateOrder: dryRunRefusal("annotateOrder"),
    createRefund: dryRunRefusal("createRefund"),
  };
}
