import { once } from "node:events";
import { createInterface } from "node:readline";
import { openDatabase } from "../../lib/db/client.ts";
import { recordCapture } from "../../lib/checkouts/capture.ts";
import { systemRandom } from "../../lib/support/random.ts";
import { runCancel, runCleanup, runLate, type CheckoutRun } from "../support/checkout-run.ts";

/**
 * One actor of a race, as a process of its own: makes itself ready, waits for a line, acts once, and
 * prints what came of it as JSON.
 */
const env = process.env;
const text = (name: string): string => env[name] ?? "";
const run: CheckoutRun = {
  database: { url: text("DATABASE_URL") },
  sandbox: {
    env: {
      RAZORPAY_BASE_URL: text("RAZORPAY_BASE_URL"),
      RAZORPAY_KEY_ID: text("RAZORPAY_KEY_ID"),
      RAZORPAY_KEY_SECRET: text("RAZORPAY_KEY_SECRET"),
      RAZORPAYX_KEY_ID: "",
      RAZORPAYX_KEY_SECRET: "",
      RAZORPAYX_ACCOUNT_NUMBER: "",
    },
  },
};

const actions: Record<string, () => Promise<unknown>> = {
  capture: async () => {
    const db = openDatabase({
      url: run.database.url,
      applicationName: "capture in a race",
      readOnly: false,
      connections: 1,
    });
    try {
      return await recordCapture(
        db,
        {
          orderId: text("ORDER_ID"),
          providerPaymentId: text("PROVIDER_PAYMENT_ID"),
          amountPaise: 100_000n,
          source: "webhook",
        },
        { offerMs: 3_600_000, random: systemRandom },
      );
    } finally {
      await db.close();
    }
  },
  cancel: async () => {
    const target = { paymentId: text("PAYMENT_ID"), userId: text("USER_ID") };
    return (await runCancel(run, target)).report;
  },
  cleanup: async () => (await runCleanup(run)).report,
  late: async () => (await runLate(run)).report,
};

/** Loads what a first query loads, so that the race is one of the rows and not of the loading. */
async function warmUp(): Promise<void> {
  const db = openDatabase({
    url: run.database.url,
    applicationName: "warm-up of a race",
    readOnly: true,
    connections: 1,
  });
  await db.query`SELECT 1`;
  await db.close();
}

const act = actions[process.argv[2] ?? ""];
if (act === undefined) throw new Error("expected capture, cancel, cleanup or late");
await warmUp();
console.log("ready");
await once(createInterface({ input: process.stdin }), "line");
const result = await act();
console.log(
  `result ${JSON.stringify(result, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value))}`,
);
process.stdin.destroy();
