import pg from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import {
  formatProblems,
  importEarnings,
  type ImportOptions,
  type ImportReport,
} from "../../../lib/earnings/index.ts";
import { seedBooking, seedPlan } from "../../../scripts/dev/seed/bookings.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { runRefunds } from "../../support/refund-run.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";
import { csv, read, row } from "./builders.ts";

let world: RefundWorld;
let sandbox: Sandbox;
let client: pg.Client;
beforeEach(async () => {
  world = await createRefundWorld();
  sandbox = await startSandbox();
  client = new pg.Client(
    connectionConfig({
      url: world.database.url,
      applicationName: "test import-earnings",
      readOnly: false,
    }),
  );
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await sandbox.close();
  await world.end();
});

const bring = async (reference: string, options: ImportOptions = {}): Promise<ImportReport> =>
  importEarnings(client, await read(csv([row({ booking_reference: reference })])), options);

/** A booking `BK-1`, paid by ₹1,180.00, of which so much is asked back. */
async function refund(amountPaise: bigint | "all"): Promise<void> {
  const order = sandbox.createOrder({ amountPaise: 118_000n });
  const { id } = sandbox.createPayment({ orderId: order.id });
  const { paymentId = "" } = await seedBooking(world.database, {
    plan: await seedPlan(world.database, { kind: "consultation" }),
    reference: "BK-1",
    status: "CONFIRMED",
    checkout: {
      status: "PAID",
      paymentId: id,
      legs: [{ kind: "card", amountPaise: 118_000n }],
    },
  });
  await world.request({ paymentId, amountPaise });
}

async function settle(): Promise<void> {
  await runRefunds({ database: world.database, sandbox });
  await runRefunds({ database: world.database, sandbox });
}

it.each([
  ["all", "₹1,180.00 of ₹1,180.00"],
  [59_000n, "₹590.00 of ₹1,180.00"],
] as const)("names a sale of which %s went back, and brings nothing in", async (amount, sums) => {
  await refund(amount);
  await settle();

  const report = await bring("bk-1");

  expect(report.outcome).toBe("refused");
  expect(formatProblems("week.csv", report.problems)).toEqual([
    `week.csv:2 column gross: of the sale bk-1, ${sums} with GST went back to the buyer; bring it in net of that, or not at all. If this row is net, or the consultant is to be paid all the same, run again with --although-refunded`,
  ]);
  expect((await bring("bk-1", { dryRun: true })).outcome).toBe("refused");
  expect(await world.database.query("SELECT FROM earnings")).toEqual([]);
});

it("takes it when told to, with the same words as a warning, and knows it the next time", async () => {
  await refund("all");
  await settle();

  const report = await bring("BK-1", { althoughRefunded: true });

  expect([report.outcome, report.earnings.new, report.warnings.length]).toEqual(["imported", 1, 1]);
  expect(await bring("BK-1")).toMatchObject({
    outcome: "imported",
    earnings: { new: 0, known: 1 },
  });
});

it("says nothing of a refund under way, which charges the consultant when it is settled", async () => {
  await refund("all");
  expect(await bring("BK-1")).toMatchObject({ outcome: "imported", warnings: [] });
  await settle();
  expect(
    await world.database.query("SELECT amount_paise::int AS amount FROM earning_refunds"),
  ).toEqual([{ amount: 85_000 }]);
});

it.each([["bk-1"], ["BK-1 "], ["Bk-1"]])(
  "refuses %j beside BK-1, in the file and on record, and not BK-1/1",
  async (alike) => {
    const inFile = await importEarnings(
      client,
      await read(csv([row(), row({ booking_reference: alike })])),
    );
    expect(inFile.outcome).toBe("refused");

    expect((await bring("BK-1")).outcome).toBe("imported");
    const again = await bring(alike);
    expect(again.outcome).toBe(alike.trim() === "BK-1" ? "imported" : "refused");
    expect(again.earnings.new === 0 || again.outcome === "refused").toBe(true);
    expect((await bring("BK-1/1")).outcome).toBe("imported");
    expect(await world.database.query("SELECT booking_reference FROM earnings ORDER BY 1")).toEqual(
      [{ booking_reference: "BK-1" }, { booking_reference: "BK-1/1" }],
    );
  },
);
