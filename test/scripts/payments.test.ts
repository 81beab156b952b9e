import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runScript, type ScriptResult } from "../support/run-script.ts";
import {
  createRefundWorld,
  goesBack,
  seedPaid,
  type RefundWorld,
} from "../support/refund-world.ts";

let world: RefundWorld;
beforeEach(async () => {
  world = await createRefundWorld();
});
afterEach(() => world.end());

const payments = (...args: string[]): Promise<ScriptResult> =>
  runScript("scripts/cli/payments.ts", {
    args,
    env: { DATABASE_URL: world.database.url, USER: "asha" },
  });

describe("payments", () => {
  it("asks for a refund once for its key, audited with who and why, and shows it", async () => {
    const { paymentId, reference } = await seedPaid(world.database, {
      cardPaise: 60_000n,
      walletPaise: 30_000n,
    });
    const refund = [
      ...["refund", paymentId, "--amount", "700.00", "--reason", "the class was cancelled"],
      ...["--key", "CASE-1"],
    ];

    expect(await payments(...refund)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^requested {2}/) as string,
    });
    expect(await payments(...refund)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^known {2}/) as string,
    });

    expect(await goesBack(world.database, paymentId)).toEqual({ card: 60_000n, wallet: 10_000n });
    const shown = (await payments("show", paymentId)).stdout;
    expect(shown).toContain(reference);
    expect(shown).toMatch(/asha +REFUND_REQUESTED +the class was cancelled/);
    expect(shown).toMatch(/PENDING +card +₹600\.00 +DUE/);
    const json = JSON.parse((await payments("show", paymentId, "--json")).stdout) as unknown;
    expect(json).toMatchObject({
      status: "PAID",
      amountRupees: "900.00",
      refunds: [{ requestedBy: "asha", legs: [{ amountRupees: "600.00" }, {}] }],
    });
  });

  it("says what became of the seat when all goes back", async () => {
    const all = (paymentId: string, ...more: string[]): Promise<ScriptResult> =>
      payments("refund", paymentId, "--amount", "all", "--reason", "the buyer is ill", ...more);
    const { paymentId } = await seedPaid(world.database);
    expect(await all(paymentId, "--keep-seat")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("booking stands: its seat is kept") as string,
    });
    expect(await all(paymentId)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/NOTHING_LEFT.*booking ended: slots freed 1/) as string,
    });
    expect(await all(paymentId)).toMatchObject({ exitCode: 1 });
    const other = await seedPaid(world.database);
    expect((await all(other.paymentId)).stdout).toContain("booking ended: slots freed 1");
  });

  it("refuses what can not go back, and says why", async () => {
    const { paymentId } = await seedPaid(world.database);

    expect(
      await payments("refund", paymentId, "--amount", "1000.01", "--reason", "too much"),
    ).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("EXCEEDS_PAID") as string });
    expect(
      await payments("refund", paymentId, "--amount", "-5", "--reason", "wrong"),
    ).toMatchObject({ exitCode: 2 });
    expect(await payments("refund", paymentId, "--amount", "all")).toMatchObject({ exitCode: 2 });
    expect(await payments("show", "1")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("expected a payment's id") as string,
    });
    expect(await payments("show", "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("there is no payment") as string,
    });
    expect(await goesBack(world.database, paymentId)).toEqual({});
  });
});
