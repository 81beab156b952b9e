import { mailEnvironment, type MailSettings } from "../../../lib/notifications/settings.ts";
import { openPayments } from "../../../lib/razorpay/open-payments.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { startMailSandbox, type MailSandbox } from "../../../scripts/sandbox/mail/index.ts";
import { openArena, type Arena } from "../arena.ts";
import type { PaymentProvider } from "../../../lib/provider/index.ts";

/** The arena of the payout cycle, with what checkouts and mail need beside it. */
export interface MarketArena extends Arena {
  /** The client of the payments API; in a dry run one that refuses to change anything. */
  readonly payments: Readonly<Record<"real" | "dry", PaymentProvider>>;
  readonly mail: MailSandbox;
  readonly mailSettings: MailSettings;
}

export async function openMarketArena(): Promise<MarketArena> {
  const [arena, mail] = await Promise.all([openArena(), startMailSandbox()]);
  const { env } = arena.sandbox;
  const settings = {
    keyId: env.RAZORPAY_KEY_ID,
    keySecret: env.RAZORPAY_KEY_SECRET,
    baseUrl: env.RAZORPAY_BASE_URL,
    timeoutMs: 30_000,
    requestsPerSecond: 1000,
  };
  const ports = { clock: systemClock, random: () => 0, log: silentLog() };
  const parsed = mailEnvironment.parse({ SMTP_TIMEOUT_MS: "20000", ...mail.env });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return {
    ...arena,
    payments: {
      real: openPayments(settings, { ...ports, dryRun: false }),
      dry: openPayments(settings, { ...ports, dryRun: true }),
    },
    mail,
    mailSettings: parsed.settings.mail,
    close: async () => {
      await mail.close();
      await arena.close();
    },
  };
}
