import type { Random } from "../support/random.ts";
import type { Clock } from "../support/clock.ts";
import { AfterhoursError } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import { createRazorpayX } from "./client.ts";
import type { RazorpayX, RazorpayXSettings } from "./contract.ts";

/**
 * The provider as a job uses it: repeats are logged, and in a dry run every call that would change
 * anything there is refused before it leaves.
 */
export function openGateway(
  settings: RazorpayXSettings,
  { clock, random, log, dryRun }: { clock: Clock; random: Random; log: Log; dryRun: boolean },
): RazorpayX {
  const client = createRazorpayX(settings, {
    clock,
    random,
    onRetry: (event) => log.warn(event, "calling the provider again"),
  });
  if (!dryRun) return client;
  const refuse = (call: string) => (): never => {
    throw new AfterhoursError("DRY_RUN_WRITE", `a dry run tried to call ${call}`);
  };
  return {
    ...client,
    createContact: refuse("createContact"),
    createFundAccount: refuse("createFundAccount"),
    createPayout: refuse("createPayout"),
    cancelPayout: refuse("cancelPayout"),
  };
}
