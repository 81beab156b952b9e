import { expect, it } from "vitest";
import { createPayoutCycle } from "../support/payout-cycle.ts";
import { runScript } from "../support/run-script.ts";

it("lists what waits and what is owed, oldest first, and changes nothing", async () => {
  const cycle = await createPayoutCycle();
  const run = (...args: string[]) =>
    runScript("scripts/cli/earnings.ts", { args, env: { DATABASE_URL: cycle.url } });
  expect((await run("waiting")).stdout).toBe("Nothing waits.\n");
  expect((await run("debts")).stdout).toBe("Nobody owes anything.\n");

  const old = await cycle.earning(await cycle.consultant("C-old"), { gross: 40_001n, fee: 1n });
  const owing = await cycle.consultant("C-new");
  const young = await cycle.earning(owing);
  await cycle.query("UPDATE earnings SET credited_on = india_today() - 100 WHERE id = $1", [old]);
  await cycle.query("UPDATE earnings SET credited_on = india_today() WHERE id = $1", [young]);
  await cycle.query("UPDATE payout_accounts SET active = false WHERE consultant_id <> $1", [owing]);
  await cycle.query(
    `INSERT INTO earning_recoveries (consultant_id, earning_id, key, gross_paise, amount_paise, recovered_amount_paise)
     VALUES ($1, $2, 'a refund', 90000, 85000, 5000)`,
    [owing, young],
  );

  const waiting = await run("waiting");
  expect(waiting.exitCode).toBe(0);
  expect(waiting.stdout).toMatch(/C-old\s+₹400\.00\s+1\s+\S+\s+100\s+₹0\.00\s+no account\n/);
  expect(waiting.stdout).toMatch(/C-new\s+₹850\.00\s+1\s+\S+\s+0\s+₹800\.00/);
  expect(waiting.stdout.indexOf("C-old")).toBeLessThan(waiting.stdout.indexOf("C-new"));
  const only = await run("waiting", "--older-than", "99", "--json");
  expect(JSON.parse(only.stdout)).toMatchObject([
    { consultant: "C-old", amountRupees: "400.00", days: 100, holds: [], hasAccount: false },
  ]);
  const debts = await run("debts", "--json");
  expect(JSON.parse(debts.stdout)).toMatchObject([
    { consultant: "C-new", owedRupees: "800.00", amountRupees: "850.00", recoveredRupees: "50.00" },
  ]);
  expect((await run("debts", "--older-than", "1")).stdout).toBe("Nobody owes anything.\n");
  expect((await run("debts", "--older-than", "x")).exitCode).toBe(2);
});
