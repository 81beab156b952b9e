import fc from "fast-check";
import { expect, it } from "vitest";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import type { PayoutRunReport } from "../../../../lib/payouts/pay/index.ts";
import { recheckTax } from "../../../../lib/tds/recheck.ts";
import { startSandbox, type Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import {
  checkMoneyInvariants,
  runPayouts,
  seedPayees,
  type PayeeSeed,
  type RunResult,
} from "../../../support/payout-world.ts";
import { countByStatus } from "../rows.ts";
import { withDb } from "../sessions.ts";

/** What may happen to one payout at the provider. */
const fate = fc.constantFrom<Omit<Fault, "on">>(
  { delayMs: 0 },
  { delayMs: 5 },
  { initialState: "processed" },
  { initialState: "queued" },
  { initialState: "rejected" },
  { initialState: "failed", endReason: "bank_account_closed" },
  { endState: "processing" },
  { endState: "failed", endReason: "beneficiary_bank_offline" },
  { endState: "reversed" },
  { status: 400, error: { reason: "imps_not_allowed" } },
  { status: 401 },
  { status: 409 },
  { status: 429, times: 2 },
  { status: 503 },
  { status: 500, accept: true },
  { lowBalance: true },
  { dropBefore: true },
  { dropAfter: true },
  { malformed: true },
  { hang: true, accept: true },
);

const grossPaise = fc.oneof(
  fc.bigInt({ min: 1_00n, max: 50_000_00n }),
  fc.bigInt({ min: 4_00_000_00n, max: 6_00_000_00n }),
);
const earning = fc
  .record({
    grossPaise,
    feePercent: fc.integer({ min: 0, max: 99 }),
    creditedOn: fc.constantFrom("2024-09-30", "2024-10-01", "2026-03-31", "2026-04-01"),
  })
  .map(({ grossPaise: gross, feePercent, creditedOn }) => ({
    grossPaise: gross,
    platformFeePaise: (gross * BigInt(feePercent)) / 100n,
    creditedOn,
  }));
const PAN_LETTER = { individual: "P", huf: "H", firm: "F", company: "C" } as const;
const payee: fc.Arbitrary<PayeeSeed> = fc
  .record({
    /** Whether the PAN is that of the others of the category who share it. */
    sharesPan: fc.boolean(),
    category: fc.constantFrom("individual", "huf", "firm", "company"),
    resident: fc.integer({ min: 0, max: 9 }).map((dice) => dice > 0),
    panStatus: fc.constantFrom("valid", "valid", "missing", "inoperative"),
    aadhaar: fc.boolean(),
    payouts: fc.array(fc.record({ earnings: fc.array(earning, { minLength: 1, maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ sharesPan, ...seed }) => ({
    ...seed,
    ...(sharesPan ? { pan: `ZZZ${PAN_LETTER[seed.category]}X0001X` } : {}),
  }));

/** How each run before the last one goes. */
const course = fc.record({
  limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  stopsAfterSending: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  besideAnother: fc.boolean(),
});

it("whatever happens to payouts and runs, the invariants of money hold and reports say what the rows say", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(payee, { minLength: 1, maxLength: 5 }),
      fc.array(fate, { minLength: 20, maxLength: 20 }),
      fc.array(course, { minLength: 1, maxLength: 2 }),
      fc.integer({ min: 0, max: 2 }),
      async (payees, fates, courses, brokenContacts) => {
        const database = await createTestDatabase();
        const sandbox = await startSandbox();
        try {
          const seeded = await seedPayees(database, payees);
          const payouts = seeded.flatMap((one) => one.payouts);
          payouts.forEach(({ id }, index) => {
            const fault = fates[index % fates.length] ?? { delayMs: 0 };
            sandbox.addFaults({
              on: "POST /payouts",
              match: { reference_id: `${id}-1` },
              ...fault,
            });
          });
          if (brokenContacts > 0)
            sandbox.addFaults({ on: "POST /contacts", times: 4 * brokenContacts, status: 502 });

          for (const { limit, stopsAfterSending, besideAnother } of courses) {
            const runs = await Promise.all(
              Array.from({ length: besideAnother ? 2 : 1 }, () =>
                run({ limit, stopsAfterSending }),
              ),
            );
            await checkMoneyInvariants(database, sandbox);
            for (const result of runs) await expectReportOfRows(database, result);
          }

          sandbox.clearFaults();
          const last = await run({});
          await checkMoneyInvariants(database, sandbox);
          await expectReportOfRows(database, last);
          expect(last.verdict.kind).toMatch(/^(completed|partial)$/);
          // Only what an account's own failures keep back is left.
          expect((await countByStatus(database))["APPROVED"] ?? 0).toBe(keptBack(last.report));
          expect(await taxDifferences(database)).toEqual([]);

          function run(how: {
            limit?: number | undefined;
            stopsAfterSending?: number | undefined;
          }) {
            const stop = new AbortController();
            let sent = 0;
            return runPayouts({
              database,
              sandbox,
              razorpayX: { timeoutMs: 150 },
              caps: { singlePaise: 1_00_00_000_00n },
              ...(how.limit === undefined ? {} : { limit: how.limit }),
              signal: stop.signal,
              wrapGateway: (gateway) => ({
                ...gateway,
                createPayout: (request, options) => {
                  if (++sent === how.stopsAfterSending) stop.abort();
                  return gateway.createPayout(request, options);
                },
              }),
            });
          }
        } finally {
          await sandbox.close();
          await database.drop();
        }
      },
    ),
    { numRuns: 25 },
  );
});

/** Payouts whose account was refused, or may be tried again only later. */
function keptBack({ held, reasons }: PayoutRunReport): number {
  const waits = ["ON_HOLD", "REFUSED_ACCOUNT", "RETRY_LATER"];
  return waits.reduce((sum, code) => sum + (reasons[`skipped ${code}`] ?? 0), held);
}

/** Tax of both open years, by PAN, that is not what the engine gives line by line. */
async function taxDifferences(database: TestDatabase): Promise<unknown> {
  const { signal } = new AbortController();
  return withDb(database, (db) =>
    recheckTax(db, { today: "2026-05-01", policy: defaultTaxPolicy, signal }),
  );
}

/** Counts and sums of a run, read from the rows that it claimed. */
async function expectReportOfRows(
  database: TestDatabase,
  { runId, report }: RunResult,
): Promise<void> {
  const [rows] = await database.query<Record<string, bigint>>(
    `WITH own AS (
       SELECT payouts.*, live.state::text AS state FROM payouts LEFT JOIN payout_attempts AS live
         ON live.payout_id = payouts.id AND live.run_id = $1
         AND live.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')
       WHERE claimed_by = $1),
     sent AS (SELECT * FROM own WHERE status = 'COMPLETED' OR state = 'ACCEPTED')
     SELECT (SELECT count(*) FROM sent) AS succeeded,
            (SELECT count(*) FROM own WHERE status = 'COMPLETED') AS completed,
            (SELECT count(*) FROM own WHERE status = 'FAILED') AS failed,
            (SELECT count(*) FROM own WHERE state IN ('UNKNOWN', 'PREPARED')) AS unknown,
            (SELECT COALESCE(sum(amount_paise), 0)::bigint FROM sent) AS gross,
            (SELECT COALESCE(sum(tax_paise), 0)::bigint FROM sent) AS tax,
            (SELECT COALESCE(sum(net_paise), 0)::bigint FROM sent) AS net,
            (SELECT COALESCE(sum(gross_paise), 0)::bigint FROM sent) AS base,
            (SELECT COALESCE(sum(net_paise), 0)::bigint FROM own
             WHERE state IN ('UNKNOWN', 'PREPARED')) AS unknown_net`,
    [runId],
  );
  expect({
    succeeded: BigInt(report.succeeded),
    completed: BigInt(report.completed),
    failed: BigInt(report.failed),
    unknown: BigInt(report.unknown),
    gross: report.grossPaise,
    tax: report.taxPaise,
    net: report.netPaise,
    base: report.taxBasePaise,
    unknown_net: report.unknownNetPaise,
  }).toEqual(rows);
  expect(report.processed).toBe(report.succeeded + report.failed + report.unknown);
  expect(report.grossPaise).toBe(report.taxPaise + report.netPaise);
}
