import { expect, it, onTestFinished } from "vitest";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase } from "../support/database.ts";
import { runJob } from "../support/job-process.ts";
import { checkMoneyInvariants, jobEnv, seedPayees } from "../support/payout-world.ts";

it("says of organizations what it says of consultants, apart, in outputs and summary", async () => {
  const [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox()]);
  onTestFinished(async () => {
    await sandbox.close();
    await database.drop();
  });
  await seedPayees(database, [
    {},
    { organization: true },
    { organization: true },
    { organization: true, account: null },
  ]);

  const run = await runJob({ env: jobEnv({ database, sandbox, lockStore: "postgres" }) });

  expect(run.exitCode).toBe(1);
  expect(run.outputs).toMatchObject({
    outcome: "partial",
    reason: "payouts-failed",
    found: "1",
    succeeded: "1",
    failed: "0",
    org_found: "3",
    org_claimed: "3",
    org_succeeded: "2",
    org_completed: "2",
    org_failed: "1",
    org_unknown: "0",
    org_skipped: "0",
    org_errors: "1",
    org_gross_paise: "180000",
  });
  const paise = (name: string): bigint => BigInt(run.outputs[name] ?? "");
  expect(paise("org_tax_paise") + paise("org_net_paise")).toBe(paise("org_gross_paise"));
  expect(run.stdout).toContain("2 of 3 organization payouts were sent; 1 failed.");
  expect(run.summary).toMatch(/Organization payouts[\s\S]*Claimed by this run[\s\S]*3/);
  await checkMoneyInvariants(database, sandbox);
});
