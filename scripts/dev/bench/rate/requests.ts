import { createRazorpayX } from "../../../../lib/razorpay/client.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { systemRandom } from "../../../../lib/support/random.ts";
import type { BenchServer } from "../databases.ts";
import { runOnce } from "../payouts/run.ts";
import type { BenchSandbox } from "../payouts/sandbox.ts";
import { seedPayouts } from "../payouts/seed.ts";

/** How long the provider takes over an answer. */
export const ANSWERS = { leastMs: 50, mostMs: 800 } as const;
/** More than are under way at once at this rate and these times. */
const CALLERS = 20;
const DATABASE = "bench_rate";

/**
 * When each request of a whole run of `process-payouts` arrived, in ms: its look before, the payouts, the lists
 * after. The run has its own database and its own process.
 */
export async function arrivalsOfRun(
  server: BenchServer,
  sandbox: BenchSandbox,
  { payouts, requestsPerSecond }: { payouts: number; requestsPerSecond: number },
): Promise<number[]> {
  await sandbox.ask("reset");
  const payees = await sandbox.ask("register", payouts);
  // More than there will be requests.
  await sandbox.ask("delay", { count: 2 * payouts, ...ANSWERS });
  const url = await server.create(DATABASE);
  try {
    await seedPayouts(url, { payees });
    await sandbox.ask("arrivalsMs");
    const { env } = sandbox;
    await runOnce({ way: "pipeline", url, env, most: payouts, requestsPerSecond });
    return await sandbox.ask("arrivalsMs");
  } finally {
    await server.drop(DATABASE);
  }
}

/** The same of the client alone, called by twenty at once: its rate when work never runs out. */
export async function arrivalsOfClient(
  sandbox: BenchSandbox,
  { calls, requestsPerSecond }: { calls: number; requestsPerSecond: number },
): Promise<number[]> {
  await sandbox.ask("reset");
  await sandbox.ask("delay", { count: calls, ...ANSWERS });
  await sandbox.ask("arrivalsMs");
  const { env } = sandbox;
  const client = createRazorpayX(
    {
      keyId: env["RAZORPAYX_KEY_ID"] ?? "",
      keySecret: env["RAZORPAYX_KEY_SECRET"] ?? "",
      accountNumber: env["RAZORPAYX_ACCOUNT_NUMBER"] ?? "",
      baseUrl: env["RAZORPAY_BASE_URL"] ?? "",
      timeoutMs: 30_000,
      requestsPerSecond,
    },
    { clock: systemClock, random: systemRandom },
  );
  let left = calls;
  const caller = async (): Promise<void> => {
    // A call of the kind that moves something.
    while (left-- > 0)
      await client.createContact({ name: "A Payee", type: "vendor", referenceId: "bench" });
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return await sandbox.ask("arrivalsMs");
}
