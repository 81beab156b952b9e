import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { insertSampleCheckout } from "../../../scripts/dev/demo/sample-checkout.ts";
import { startMailSandbox } from "../../../scripts/sandbox/mail/index.ts";
import { startSandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { freePort } from "../../../scripts/dev/services/free-port.ts";
import { seedBooking, seedPlan, seedWaiting } from "../../../scripts/dev/seed/bookings.ts";
import { readOutputs } from "../../support/job-process.ts";
import { seedMail } from "../../support/mail.ts";
import { createPayoutCycle } from "../../support/payout-cycle.ts";
import { runPayouts, seedPayees } from "../../support/payout-world.ts";
import { seedPaid } from "../../support/refund-world.ts";
import { ROOT } from "./blocks.ts";
import type { ShellEnvironment } from "./shell.ts";

/** A marketplace of its own for the commands of one page, with something for each of them. */
export interface CommandWorld {
  env: ShellEnvironment;
  /** For files that commands read and write. */
  folder: string;
  /** A port that nobody listens on. */
  port: number;
  payouts: { pending: readonly string[]; failed: string };
  consultants: { holding: string; other: string };
  findingId: string;
  mailId: string;
  paymentId: string;
  /** A webinar that lies ahead, with a booking and somebody who waits. */
  planId: string;
  checkout: { paymentId: string; userId: string };
  /** The tables whose rows are others than when this was last asked. */
  changedTables(): Promise<string[]>;
  /** The step outputs of the jobs since this was last asked. */
  outputs(): Record<string, string>;
}

/**
 * @param owesTax - whether tax was withheld that is overdue by now: something to deposit, and a watchdog that is red
 */
export async function openCommandWorld({ owesTax }: { owesTax: boolean }): Promise<CommandWorld> {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const mail = await startMailSandbox();
  onTestFinished(() => mail.close());

  const cycle = await createPayoutCycle();
  const consultants: string[] = [];
  for (const name of ["first", "second", "third", "fourth", "fifth"]) {
    const id = await cycle.consultant(`command-${name}`);
    consultants.push(id);
    // Above what is approved at once, but for the last.
    await cycle.earning(id, name === "fifth" ? {} : { gross: 900_000n, fee: 1n });
  }
  // Relief is for an inoperative PAN.
  await cycle.query("UPDATE tax_profiles SET pan_status = 'inoperative' WHERE consultant_id = $1", [
    consultants[3],
  ]);
  await cycle.batch();
  const rows = await cycle.query<{ id: string; status: string }>(
    "SELECT id, status FROM payouts ORDER BY amount_paise DESC, id",
  );
  const failed = rows.find(({ status }) => status === "APPROVED")?.id ?? "";
  await cycle.fail(failed);

  if (owesTax) {
    const taxed = await seedPayees(cycle, [
      {
        category: "company",
        // 0.1% of it is the amount that the page on tax deposits.
        payouts: [{ earnings: [{ creditedOn: "2026-07-15", grossPaise: 12_34_000_00n }] }],
      },
    ]);
    if (taxed.length !== 1) throw new Error("the payee was not seeded");
  }
  await runPayouts({ database: cycle, sandbox, caps: { singlePaise: 20_00_000_00n } });

  const [finding] = await cycle.query<{ id: string }>(
    `INSERT INTO findings (kind, severity, subject_type, subject_id, details)
     VALUES ('amount-differs', 'critical', 'payout', 'p-1', '{}') RETURNING id`,
  );
  const mailId = await seedMail(cycle, { email: "a.buyer@buyers.example", name: "A buyer" });
  await cycle.query(
    `UPDATE outbox_mails SET status = 'GAVE_UP', settled_at = now(), tries = 8, last_error = 'mail-refused' WHERE id = $1`,
    [mailId],
  );
  const paid = await seedPaid(cycle, { consultantId: consultants[0] ?? "" });
  const open = await insertSampleCheckout(cycle.url);
  const webinar = await seedPlan(cycle, { capacity: 1, title: "A webinar" });
  await seedBooking(cycle, { plan: webinar, status: "CONFIRMED", checkout: { status: "PAID" } });
  await seedWaiting(cycle, { plan: webinar });

  writeEarnings(folder);
  writeFileSync(join(folder, "credits.jsonl"), sampleCredits());
  mkdirSync(join(folder, "mails"));
  writeNpx(join(folder, "bin"));
  const outputFile = join(folder, "outputs");
  writeFileSync(outputFile, "");
  const known = new Map<string, string>();
  const changedTables = async (): Promise<string[]> => {
    const tables = await cycle.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    const sums = tables.map(
      ({ name }) =>
        `SELECT '${name}' AS name, md5(string_agg(line::text, '' ORDER BY line::text)) AS sum FROM "${name}" AS line`,
    );
    const rows = await cycle.query<{ name: string; sum: string }>(sums.join(" UNION ALL "));
    const changed = rows.filter(({ name, sum }) => known.get(name) !== sum);
    for (const { name, sum } of rows) known.set(name, sum);
    return changed.map(({ name }) => name);
  };
  return {
    changedTables,
    outputs: () => {
      const read = readOutputs(readFileSync(outputFile, "utf8"));
      writeFileSync(outputFile, "");
      return read;
    },
    folder,
    port: await freePort(),
    payouts: {
      pending: rows.filter(({ status }) => status === "PENDING").map(({ id }) => id),
      failed,
    },
    consultants: { holding: consultants[0] ?? "", other: consultants[3] ?? "" },
    findingId: finding?.id ?? "",
    mailId,
    paymentId: paid.paymentId,
    planId: webinar.id,
    checkout: { paymentId: open["payment-id"] ?? "", userId: open["user-id"] ?? "" },
    env: {
      ...sandbox.env,
      ...mail.env,
      GITHUB_OUTPUT: outputFile,
      DATABASE_URL: cycle.url,
      RAZORPAY_REQUESTS_PER_SECOND: "100",
      PATH: `${join(folder, "bin")}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: process.env["HOME"] ?? folder,
      USER: "asha",
      npm_config_update_notifier: "false",
    },
  };
}

/** What npx does with tsx, without the two processes that npx and tsx start before they do it. */
function writeNpx(folder: string): void {
  mkdirSync(folder);
  const lines = [
    "#!/bin/sh",
    '[ "$1" = tsx ] || { echo "only tsx is known here: $*" >&2; exit 127; }',
    "shift",
    'exec node --import tsx "$@"',
  ];
  writeFileSync(join(folder, "npx"), `${lines.join("\n")}\n`, { mode: 0o755 });
}

/** The first thirty lines of the sample week: a run over all of it takes a minute. */
function writeEarnings(folder: string): void {
  const lines = readFileSync(join(ROOT, "scripts/dev/demo/sample-earnings.csv"), "utf8").split(
    "\n",
  );
  writeFileSync(join(folder, "week.csv"), `${lines.slice(0, 31).join("\n")}\n`);
}

/** The credits that the page on tax shows. */
function sampleCredits(): string {
  const page = readFileSync(join(ROOT, "docs/tax.md"), "utf8");
  const [, credits = ""] = /<!-- assess: input -->\s+```json\n([\s\S]*?)```/.exec(page) ?? [];
  if (credits === "") throw new Error("docs/tax.md shows no credits");
  return credits;
}
