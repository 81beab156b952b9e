import { type Caller, createCaller, type RazorpayPorts } from "./caller.ts";
import type { ConnectionSettings } from "./contract.ts";
import { createRateLimiter } from "./rate-limit.ts";
import { createTransport } from "./transport.ts";

/** A caller with a rate limit of its own. Loads the `razorpay` package. */
export function connect(settings: ConnectionSettings, ports: RazorpayPorts): Caller {
  const limiter = createRateLimiter({
    requestsPerSecond: settings.requestsPerSecond,
    clock: ports.clock,
    ...(ports.sleep ? { sleep: ports.sleep } : {}),
  });
  return createCaller({ transport: createTransport(settings), limiter, ...ports });
}
