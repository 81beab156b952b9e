import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readOutputs } from "../support/job-process.ts";
import { createPayoutCycle } from "../support/payout-cycle.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

interface JobResult extends ScriptResult {
  outputs: Record<string, string>;
}

/** Runs the job as a process of its own, as a workflow does. */
async function runBatch(env: Record<string, string>, args: string[] = []): Promise<JobResult> {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-batch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const output = join(folder, "output");
  writeFileSync(output, "");
  const result = await runScript("jobs/payouts/create-payout-batch.ts", {
    args,
    env: { GITHUB_OUTPUT: output, ...env },
  });
  return { ...result, outputs: readOutputs(readFileSync(output, "utf8")) };
}

it("tries, makes, and makes nothing more, with the same numbers in the outputs", async () => {
  const cycle = await createPayoutCycle();
  const small = await cycle.consultant("small");
  await cycle.earning(small, { gross: 10_000n, fee: 1n });
  await cycle.earning(await cycle.consultant("fair"));
  await cycle.earning(await cycle.consultant("large"), { gross: 900_000n, fee: 1n });
  const env = { DATABASE_URL: cycle.url };

  const planned = await runBatch(env, ["--dry-run"]);
  expect(planned).toMatchObject({
    exitCode: 0,
    outputs: { dry_run: "true", planned: "2", payouts_created: "0", approved: "1", pending: "1" },
  });
  expect(await cycle.query("SELECT 1 FROM payouts")).toEqual([]);

  const made = await runBatch(env);
  expect(made).toMatchObject({
    exitCode: 0,
    outputs: {
      outcome: "completed",
      consultants_found: "3",
      payouts_created: "2",
      planned: "0",
      approved: "1",
      pending: "1",
      carried: "1",
      on_hold: "0",
      refused: "0",
      changed: "0",
      earnings: "2",
      amount_paise: "984999",
      gross_paise: "1000000",
      approved_paise: "85000",
      pending_paise: "899999",
      carried_paise: "9999",
    },
  });
  expect(made.stdout).toMatch(/BELOW_MINIMUM\s+₹99\.99 is below the smallest payout, ₹500\.00/);
  expect(made.stdout).toMatch(/of which wait for a person\s+1\n/);
  // "Everything is done" never stands over a payout that waits for a person.
  expect(made.stdout).not.toContain("Everything that was due is done.");
  expect(made.stdout).toContain("Still open: 1 payout (₹8,999.99) needs approval");

  const again = await runBatch(env);
  expect(again.outputs).toMatchObject({ outcome: "completed", payouts_created: "0", carried: "1" });
  expect(await cycle.breaches()).toEqual([]);
});

it("makes each payout once when two processes run without a lock", async () => {
  const cycle = await createPayoutCycle();
  for (let number = 0; number < 8; number++) {
    await cycle.earning(await cycle.consultant(`C-${number}`));
  }
  const env = { DATABASE_URL: cycle.url, LOCK_STORE: "off" };

  const runs = await Promise.all([runBatch(env), runBatch(env)]);

  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const created = runs.map(({ outputs }) => Number(outputs["payouts_created"]));
  expect(created.reduce((sum, count) => sum + count, 0)).toBe(8);
  expect(await cycle.breaches()).toEqual([]);
});

it("takes minimum and limit from its settings", async () => {
  const cycle = await createPayoutCycle();
  await cycle.earning(await cycle.consultant("C-1"), { gross: 20_000n, fee: 1n });
  const env = { DATABASE_URL: cycle.url, PAYOUTS_MINIMUM_RUPEES: "100" };

  const { outputs } = await runBatch({ ...env, PAYOUTS_AUTO_APPROVE_RUPEES: "0" });

  expect(outputs).toMatchObject({ payouts_created: "1", approved: "0", pending: "1" });
});

it("says everything that is wrong with its settings at once, and ends with 2", async () => {
  const { exitCode, stdout, stderr } = await runBatch({
    PAYOUTS_MINIMUM_RUPEES: "0.50",
    PAYOUTS_AUTO_APPROVE_RUPEES: "1e5",
  });

  expect(exitCode).toBe(2);
  const text = stdout + stderr;
  expect(text).toContain(
    "PAYOUTS_MINIMUM_RUPEES: expected an amount in rupees of at least 1, such as 500.00",
  );
  expect(text).toContain("PAYOUTS_AUTO_APPROVE_RUPEES: expected an amount in rupees");
  expect(text).toContain("DATABASE_URL: is missing or empty");
});

it("pauses while the system is degraded", async () => {
  const cycle = await createPayoutCycle();
  await cycle.earning(await cycle.consultant("C-1"));

  const { outputs } = await runBatch({ DATABASE_URL: cycle.url, MAINTENANCE_PHASE: "degraded" });

  expect(outputs).toMatchObject({ outcome: "skipped", reason: "maintenance" });
  expect(await cycle.query("SELECT 1 FROM payouts")).toEqual([]);
});
