import { createRedactor } from "../support/redact.ts";
import { credentials } from "../support/secret-forms.ts";
import { type Caller, createCaller, type RazorpayPorts } from "./caller.ts";
import { createRateLimiter } from "./rate-limit.ts";
import type { Transport } from "./transport.ts";
import type { ConnectionSettings } from "./contract.ts";

/**
 * A caller with a rate limit of its own. Its first call loads the HTTP client, which takes 55 ms, and half as
 * much memory as all else that a run with nothing to do needs: most runs have nothing to ask.
 */
export function connect(settings: ConnectionSettings, ports: RazorpayPorts): Caller {
  const limiter = createRateLimiter({
    requestsPerSecond: settings.requestsPerSecond,
    clock: ports.clock,
    ...(ports.sleep ? { sleep: ports.sleep } : {}),
  });
  let opening: Promise<Transport> | undefined;
  const openTransport = (): Promise<Transport> =>
    (opening ??= import("./transport.ts").then(({ createTransport }) => createTransport(settings)));
  const redactor =
    ports.redactor ?? createRedactor(credentials(settings.keyId, settings.keySecret));
  return createCaller({ openTransport, limiter, ...ports, redactor });
}
