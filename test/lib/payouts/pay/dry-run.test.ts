import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../../lib/db/client.ts";
import { payoutTables } from "../../../../lib/payouts/pay/index.ts";
import { openGateway } from "../../../../lib/razorpay/open-gateway.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { createLog, silentLog, type Log } from "../../../../lib/support/log.ts";
import { createRedactor } from "../../../../lib/support/redact.ts";
import {
  seedApprovedPayouts,
  seedPayee,
  seedPayees,
  settingsFor,
  type PayeeSeed,
} from "../../../support/payout-world.ts";
import { digestOf, viewOf } from "../rows.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

interface Plan {
  kind: "send" | "refuse";
  mode?: string;
  code?: string;
  taxPaise?: string;
  netPaise?: string;
}

/** A log that keeps the plan of each payout. */
function planLog(): { log: Log; plans: Map<string, Plan> } {
  const plans = new Map<string, Plan>();
  const write = (line: string): void => {
    const entry = JSON.parse(line) as { payoutId?: string; plan?: Plan };
    if (entry.payoutId !== undefined && entry.plan) plans.set(entry.payoutId, entry.plan);
  };
  const redactor = createRedactor([]);
  return { plans, log: createLog({ level: "debug", redactor, destination: { write }, base: {} }) };
}

const LAKH = 1_00_000_00n;
const creditedOn = "2026-06-15";

/** One of each kind that a plan has to get right. */
const mixed: PayeeSeed[] = [
  {},
  // Crosses the threshold with the second, is above it with the third.
  {
    payouts: [3n, 3n, 1n].map((lakhs) => ({
      earnings: [{ grossPaise: lakhs * LAKH, creditedOn }],
    })),
  },
  { category: "firm", payouts: [{ earnings: [{ grossPaise: 10_000_00n }] }, {}] },
  { panStatus: "missing" },
  { panStatus: "missing", aadhaar: true },
  { account: { kind: "vpa", vpa: "asha@examplebank" } },
  // Refused, and then one that must not be taxed as if the first had been paid.
  {
    account: { kind: "vpa", vpa: "ravi@examplebank" },
    payouts: [{ earnings: [{ grossPaise: 6n * LAKH }] }, {}],
  },
  { payouts: [{ earnings: [{ grossPaise: 5_80_000_00n, platformFeePaise: 0n }] }] },
  // Nothing is left to send, and the rest is carried to the next.
  {
    payouts: [
      { earnings: [{ grossPaise: 6n * LAKH, platformFeePaise: 6n * LAKH - 300_00n }] },
      {},
      {},
    ],
  },
  {
    panStatus: "missing",
    payouts: [{ earnings: [{ grossPaise: 100_00n, platformFeePaise: 94_50n }] }],
  },
  { resident: false, payouts: [{}, {}] },
  { taxProfile: false },
  { account: null },
  { payouts: [{ currency: "USD" }, {}] },
  {
    category: "firm",
    certificates: [{ rateBps: 5, from: "2026-04-01", to: "2027-03-31", ceilingPaise: 15_000_00n }],
    payouts: [
      { earnings: [{ grossPaise: 10_000_00n }] },
      { earnings: [{ grossPaise: 10_000_00n }] },
    ],
  },
  {
    payouts: [
      {
        earnings: [
          { grossPaise: 4n * LAKH, creditedOn: "2024-09-30" },
          { grossPaise: 2n * LAKH, creditedOn: "2024-10-01" },
          { grossPaise: 2n * LAKH, creditedOn: "2025-04-01" },
        ],
      },
    ],
  },
];

describe("a dry run", () => {
  it("plans payout by payout what the real run on the same rows then does", async () => {
    const payees = await seedPayees(world.database, mixed);
    const ids = payees.flatMap(({ payouts }) => payouts.map(({ id }) => id));
    const { log, plans } = planLog();

    const dry = await world.run({ dryRun: true, log });
    const real = await world.run();

    expect(plans.size).toBe(ids.length);
    for (const id of ids) expect(plans.get(id)).toMatchObject(await doneWith(id));
    expect(dry.verdict).toEqual({ kind: "completed" });
    expect(dry.report).toMatchObject({
      dryRun: true,
      found: real.report.found,
      planned: real.report.succeeded,
      failed: real.report.failed,
      processed: 0,
      succeeded: 0,
      grossPaise: real.report.grossPaise,
      taxPaise: real.report.taxPaise,
      netPaise: real.report.netPaise,
      taxBasePaise: real.report.taxBasePaise,
    });
    expect(new Set(dry.report.items.map(({ payoutId, code }) => `${payoutId} ${code}`))).toEqual(
      new Set(real.report.items.map(({ payoutId, code }) => `${payoutId} ${code}`)),
    );
    expect(dry.report.items.map(({ code }) => code).toSorted()).toEqual([
      "AMOUNT_ABOVE_UPI_LIMIT",
      "AMOUNT_BELOW_MINIMUM",
      "CURRENCY_NOT_SUPPORTED",
      "NON_RESIDENT",
      "NON_RESIDENT",
      "NO_PAYOUT_ACCOUNT",
      "NO_TAX_PROFILE",
    ]);
  });

  it("plans on what earlier runs left: totals of the year, failed payouts, open outcomes", async () => {
    const payees = await seedPayees(world.database, [
      {
        payouts: [
          { earnings: [{ grossPaise: 3n * LAKH }] },
          { earnings: [{ grossPaise: 3n * LAKH }] },
        ],
      },
      {
        payouts: [{ earnings: [{ grossPaise: 6n * LAKH }] }, { earnings: [{ grossPaise: LAKH }] }],
      },
      {
        payouts: [{ earnings: [{ grossPaise: 6n * LAKH }] }, { earnings: [{ grossPaise: LAKH }] }],
      },
    ]);
    const account = (index: number): string => payees[index]?.payouts[0]?.accountNumber ?? "";
    const onPayout = { on: "POST /payouts" } as const;
    world.sandbox.addFaults([
      { ...onPayout, match: { account_number: account(1) }, status: 400 },
      { ...onPayout, match: { account_number: account(2) }, status: 503 },
    ]);
    await world.database.query(
      "UPDATE payouts SET approved_at = '2026-08-01' WHERE id = ANY ($1::uuid[])",
      [payees.map(({ payouts }) => payouts[1]?.id)],
    );
    await world.run({ limit: 3 });

    const { log, plans } = planLog();
    await world.run({ dryRun: true, log });
    await world.run();
    const taxes = payees.map(({ payouts }) => plans.get(payouts[1]?.id ?? "")?.taxPaise);
    expect(taxes).toEqual(["60000", "0", "10000"]);
    for (const { payouts } of payees) {
      const id = payouts[1]?.id ?? "";
      expect(plans.get(id)).toMatchObject(await doneWith(id));
    }
  });

  it("plans a claim that a dead run left with the tax that is reserved for it", async () => {
    const { payouts } = await seedPayee(world.database, {
      payouts: [{ earnings: [{ grossPaise: 6n * LAKH }] }, { earnings: [{ grossPaise: LAKH }] }],
    });
    await world
      .run({ lease: { fence: 1n, assertTrusted: diesAtQuestion(2) }, limit: 1 })
      .catch(() => undefined);
    await world.database.query(
      "UPDATE payouts SET claimed_at = now() - interval '1 day' WHERE status = 'PROCESSING'",
    );
    const { log, plans } = planLog();
    const dry = await world.run({ dryRun: true, log });
    const real = await world.run();
    expect(dry.report).toMatchObject({ found: 2, planned: 2, taxPaise: 700_00n });
    expect(real.report).toMatchObject({ found: 2, succeeded: 2, taxPaise: 700_00n });
    for (const { id } of payouts) expect(plans.get(id)).toMatchObject(await doneWith(id));
  });

  it("refuses a payout whose items do not add up to it, as the real run does", async () => {
    const payout = await world.payout();
    const alter = (change: bigint): Promise<unknown> =>
      world.database.query(
        "UPDATE payouts SET amount_paise = amount_paise + $1, gross_paise = gross_paise + $1",
        [change],
      );
    await alter(1n);
    const dry = await world.run({ dryRun: true });
    const real = await world.run();
    expect(dry.report.items).toEqual(real.report.items);
    expect(dry.report.items).toMatchObject([
      { payoutId: payout.id, code: "PAYOUT_ITEMS_DISAGREE" },
    ]);
    await alter(-1n);
  });

  it("writes nothing, and only reads at the provider", async () => {
    await seedPayees(world.database, mixed);
    const before = await digestOf(world.database);
    await world.run({ dryRun: true });
    expect(await digestOf(world.database)).toEqual(before);
    expect(world.sandbox.calls().map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  it.each([
    ["wrong credentials", { keySecret: "wrong-secret-0000000000" }, "credentials"],
    ["a provider that is away", { baseUrl: "http://127.0.0.1:1/v1" }, "gateway-unreachable"],
    ["an account that is not ours", { accountNumber: "1111111111" }, "account-refused"],
  ])("ends as the real run does with %s", async (_title, razorpayX, code) => {
    await world.payout();
    const dry = await world.run({ dryRun: true, razorpayX });
    expect(dry.verdict).toMatchObject({ kind: "failed", code });
    const real = await world.run({ razorpayX });
    expect(dry.verdict).toEqual(real.verdict);
  });

  it("lists who would get what: all in the report, the first twenty in the table", async () => {
    await seedApprovedPayouts(world.database, { count: 23 });
    const { report } = await world.run({ dryRun: true });
    const rows = await world.database.query<{ id: string; ref: string; amount: bigint }>(
      `SELECT p.id, c.external_ref AS ref, p.amount_paise AS amount
       FROM payouts p JOIN consultants c ON c.id = p.consultant_id`,
    );
    const wanted = rows.map(({ id, ref, amount }) => [id, ref, "IMPS", amount]);
    const planned = report.plan.map(({ payoutId, payee, mode, amountPaise }) => [
      payoutId,
      payee,
      mode,
      amountPaise,
    ]);
    expect(planned.toSorted()).toEqual(wanted.toSorted());
    const table = payoutTables(report).find(({ title }) => title === "Who would get what");
    expect(table?.rows).toHaveLength(20);
    expect(table?.more).toBe(3);
  });

  it("honours the limit", async () => {
    await seedApprovedPayouts(world.database, { count: 5 });
    const { report } = await world.run({ dryRun: true, limit: 2 });
    expect(report).toMatchObject({ found: 2, planned: 2 });
  });

  it("could not write or send if it tried", async () => {
    await world.payout();
    const db = openDatabase({
      url: world.database.url,
      applicationName: "dry run under test",
      readOnly: true,
      connections: 1,
    });
    const gateway = openGateway(settingsFor({ sandbox: world.sandbox }).razorpayX, {
      clock: systemClock,
      random: () => 0,
      log: silentLog(),
      dryRun: true,
    });
    try {
      await expect(db.execute`UPDATE payouts SET tries = 1`).rejects.toThrow(
        /read-only transaction/,
      );
      expect(() =>
        gateway.createPayout({ body: "{}", idempotencyKey: "key-1", resend: false }),
      ).toThrow("a dry run tried to call createPayout");
    } finally {
      await db.close();
    }
  });
});

/** What the real run did with a payout, in the words of a plan. */
async function doneWith(payoutId: string): Promise<Plan> {
  const [row] = await world.database.query<{
    tax: bigint | null;
    net: bigint | null;
    code: string | null;
    mode: string | null;
  }>(
    `SELECT tax_paise AS tax, net_paise AS net, payouts.failure_code AS code, attempt.mode
     FROM payouts LEFT JOIN payout_attempts AS attempt ON attempt.payout_id = payouts.id
     WHERE payouts.id = $1`,
    [payoutId],
  );
  const { status } = await viewOf(world.database, payoutId);
  if (status === "FAILED") return { kind: "refuse", code: row?.code ?? "none" };
  expect(status).toBe("COMPLETED");
  return {
    kind: "send",
    mode: row?.mode ?? "none",
    taxPaise: String(row?.tax),
    netPaise: String(row?.net),
  };
}

/** Ends the run as a crash does, at the n-th question. */
function diesAtQuestion(question: number): () => void {
  let asked = 0;
  return () => {
    if (++asked === question) throw new Error("the process died");
  };
}
