import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startMailSandbox } from "../../../sandbox/mail/index.ts";
import type { Sandbox } from "../../../sandbox/razorpay/index.ts";
import { runChild } from "../child.ts";
import { seedMarketplace } from "./seed.ts";
import { printMarketplace, type JobEnd } from "./show.ts";

interface MarketplaceStage {
  root: string;
  /** Where the mails are kept. */
  home: string;
  databaseUrl: string;
  sandbox: Sandbox;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  say: (what: string) => void;
}

/**
 * The jobs of the bookings half on a seeded marketplace, each as a separate process, and their results:
 * released, offered, booked again, refunded, mailed.
 *
 * @returns whether every job did all its work
 */
export async function demonstrateMarketplace(stage: MarketplaceStage): Promise<boolean> {
  const { root, home, databaseUrl, sandbox, signal, say } = stage;
  const mailFolder = join(home, "mails");
  await mkdir(mailFolder);
  const mails = await startMailSandbox({ saveTo: mailFolder });
  try {
    say("Writing a small marketplace: webinars, waitlists, checkouts");
    const { toCancel, toRefund } = await seedMarketplace(databaseUrl, sandbox);
    const env = { ...stage.env, ...mails.env };
    const run = (...args: string[]): Promise<number> => {
      signal.throwIfAborted();
      return runChild(root, args, { env, signal, show: "stderr" });
    };

    for (const { paymentId, amount, reason } of toRefund) {
      await run(
        "scripts/cli/payments.ts",
        ...["refund", paymentId, "--amount", amount, "--reason", reason, "--by", "the demo"],
      );
    }
    const ends: JobEnd[] = [];
    for (const [name, ...args] of [
      ["payments/cancel-pending", "--payment-id", toCancel.paymentId, "--user-id", toCancel.userId],
      ["slots/cleanup-tentative-slots"],
      ["payments/reconcile-late-captures"],
      ["payments/process-refunds"],
      ["waitlist/process-expired-notifications"],
      ["waitlist/send-expiration-reminders"],
      // Once more: refunds that the provider had not finished are followed to their end.
      ["payments/process-refunds"],
      ["notifications/deliver-outbox"],
      ["ledger/reconcile-ledger"],
    ] as const) {
      say(`Running jobs/${name}.ts`);
      ends.push({ name, exitCode: await run(`jobs/${name}.ts`, "--log-level", "error", ...args) });
    }
    await printMarketplace({ databaseUrl, ends, mails: mails.mails(), mailFolder });
    return ends.every(({ exitCode }) => exitCode === 0);
  } finally {
    await mails.close();
  }
}
