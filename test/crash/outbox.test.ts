import { describe, expect, it, onTestFinished } from "vitest";
import { openMailer } from "../../lib/notifications/smtp-mailer.ts";
import { createTestDatabase } from "../support/database.ts";
import { startMailSandbox } from "../../scripts/sandbox/mail/index.ts";
import {
  letHoursPass,
  mailRows,
  mailSettings,
  runDelivery,
  seedMail,
  takenById,
} from "../support/mail.ts";
import { startProcess, type Naming } from "./matrix/process.ts";

const TIMEOUT_MS = 300_000;
const MOST_ROUNDS = 6;

interface Played {
  /** Each with its side, in the order in which they were met. */
  steps: readonly string[];
  /** The most often that a mail was taken. */
  mostTaken: number;
  /** What has become of each mail. */
  end: readonly string[];
}

describe("deliver-outbox, stopped dead before and after each step and run again", () => {
  it(
    "ends as it does unstopped, and sends no mail twice but the one in hand",
    async () => {
      const unstopped = await play();
      expect(unstopped.mostTaken).toBe(1);
      expect(new Set(unstopped.steps.map((step) => step.replace(/^(before|after) /, "")))).toEqual(
        new Set(["claim", "send", "sent", "put off", "given up", "lapsed"]),
      );
      for (const [index, step] of unstopped.steps.entries()) {
        const stopped = await play(index);
        expect(stopped.end, `stopped ${step}`).toEqual(unstopped.end);
        // Taken, and nobody could write it down: only then a second time, under the same Message-ID.
        const mayRepeat = step === "after send" || step === "before sent";
        expect(stopped.mostTaken, `stopped ${step}`).toBeLessThanOrEqual(mayRepeat ? 2 : 1);
      }
    },
    TIMEOUT_MS,
  );
});

/** Runs until nothing is queued; the process that comes to step `stopAt` is stopped there. */
async function play(stopAt?: number): Promise<Played> {
  const database = await createTestDatabase();
  const sandbox = await startMailSandbox();
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await sandbox.close();
    await database.drop();
  };
  onTestFinished(close);
  await seedMail(database);
  await seedMail(database, { active: false });
  await seedMail(database, { email: "slow@buyers.example" });
  await seedMail(database, { email: "gone@buyers.example" });
  sandbox.behave({ at: "recipient", do: { refuse: 450 }, to: "slow@" });
  sandbox.behave({ at: "recipient", do: { refuse: 550 }, to: "gone@", times: Infinity });
  const steps: string[] = [];
  try {
    for (let round = 1; ; round++) {
      if (round > MOST_ROUNDS) throw new Error("the outbox does not come to rest");
      const process = await startProcess(database, {
        naming,
        watch: (step, side) => steps.push(`${side} ${step}`) - 1 === stopAt,
      });
      const running = runDelivery({
        database: process.database,
        sandbox,
        mailer: process.wrapMailer(openMailer(mailSettings({ sandbox }))),
      });
      // Once it is dead nobody listens to it any more.
      running.catch(() => undefined);
      await Promise.race([running, process.stopped]);
      await process.arrived();
      await process.close();
      await letHoursPass(database);
      const rows = await mailRows(database);
      if (rows.some(({ status }) => status === "QUEUED")) continue;
      const taken = [...takenById({ sandbox }).values()];
      return {
        steps,
        mostTaken: Math.max(...taken.map((each) => each.length)),
        end: rows.map(({ status, claimed }) => `${status}${claimed ? ", claimed" : ""}`),
      };
    }
  } finally {
    await close();
  }
}

const naming: Naming = {
  commit: (statements) => statements.map(nameOf).find((name) => name !== undefined),
  write: nameOf,
  call: (method) => {
    throw new Error(`${method} is not called by this job`);
  },
};

function nameOf({ sql }: { sql: string }): string | undefined {
  if (!/\bUPDATE outbox_mails\b/.test(sql)) return undefined;
  if (/WITH next AS/.test(sql)) return "claim";
  if (/SET status = 'SENT'/.test(sql)) return "sent";
  if (/SET status = 'LAPSED'/.test(sql)) return "lapsed";
  if (/SET status = 'GAVE_UP'/.test(sql)) return "given up";
  if (/SET due_at/.test(sql)) return "put off";
  throw new Error(`a step without a name: ${sql}`);
}
