import { reconcilePayments } from "../../lib/payment-events/reconcile-payments.ts";
import type { PaymentEventReport } from "../../lib/payment-events/index.ts";
import type { Clock } from "../../lib/support/clock.ts";
import type { CoreResult } from "../../lib/support/verdict.ts";
import { withPorts, type CheckoutRun } from "./checkout-run.ts";
import { DAY_MS } from "./checkout-world.ts";

/** One run of reconcile-payments in this process, as the job makes it. */
export function runEvents(
  run: CheckoutRun & { clock?: Clock },
): Promise<CoreResult<PaymentEventReport>> {
  return withPorts(run, (ports) =>
    reconcilePayments({
      ...ports,
      ...(run.clock ? { clock: run.clock } : {}),
      settings: { lookBackMs: 180 * DAY_MS },
    }),
  );
}
