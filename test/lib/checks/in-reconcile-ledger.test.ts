import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkRecords } from "../../../lib/checks/run-checks.ts";
import type { CheckRules } from "../../../lib/checks/settings.ts";
import { openDatabase } from "../../../lib/db/client.ts";
import { ledgerOutputs, ledgerTables, type LedgerReport } from "../../../lib/ledger/index.ts";
import { reconcileLedger } from "../../../lib/ledger/reconcile/reconcile-ledger.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { noProgress } from "../../../lib/support/progress.ts";
import type { CoreResult } from "../../../lib/support/verdict.ts";
import { defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { seedBooking, seedPlan, seedWaiting } from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const RULES: CheckRules = {
  debtDays: 60,
  waitingDays: 100,
  checkoutDays: 3,
  refundDays: 14,
  earningDays: 45,
};

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

async function prove({ dryRun = false } = {}): Promise<CoreResult<LedgerReport>> {
  const db = openDatabase({
    url: database.url,
    applicationName: "checks under test",
    readOnly: dryRun,
    connections: 1,
  });
  const { signal } = new AbortController();
  try {
    return await reconcileLedger({
      dryRun,
      db,
      clock: systemClock,
      log: silentLog(),
      progress: noProgress,
      signal,
      settings: { tax: defaultTaxPolicy },
      checkRecords: (tx) => checkRecords(tx, { rules: RULES, signal }),
    });
  } finally {
    await db.close();
  }
}

const findings = (): Promise<{ kind: string; subject: string }[]> =>
  database.query(
    "SELECT kind, severity::text AS severity, subject_id AS subject FROM findings ORDER BY 1, 3",
  );

/** An offer that lasts an hour longer than its plan has yet to come. */
async function lateOffer(): Promise<string> {
  const plan = await seedPlan(database, { startsInHours: 24 });
  const { entryId } = await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: 25 });
  return entryId;
}

describe("records that do not fit together", () => {
  it("are findings of a green run that names them, once for each row", async () => {
    const subject = await lateOffer();

    const dry = await prove({ dryRun: true });
    expect(dry.report.recordsOpen).toBe(1);
    expect(await findings()).toEqual([]);

    const first = await prove();
    const second = await prove();
    for (const { verdict, report } of [dry, first, second]) {
      expect(verdict).toEqual({
        kind: "completed",
        warning: expect.stringContaining("Records to look at: offer-outlasts-plan 1.") as string,
      });
      expect(ledgerOutputs(report)).toMatchObject({
        offer_outlasts_plan: 1,
        records_open: 1,
        drifts: 0,
      });
    }
    expect(JSON.stringify(ledgerTables(second.report))).toContain(`waitlist-entry ${subject}`);
    expect(await findings()).toEqual([
      { kind: "offer-outlasts-plan", severity: "warning", subject },
    ]);
  });

  it("are open no longer once a person has resolved them as they are", async () => {
    await lateOffer();
    await prove();
    await database.query(
      "UPDATE findings SET resolved_at = now(), resolved_by = 'Asha', resolution = 'told'",
    );

    const { verdict, report } = await prove();

    expect(report.recordsOpen).toBe(0);
    expect(JSON.stringify(verdict)).not.toContain("Records");
    expect(await findings()).toHaveLength(1);
  });

  it("make the run red where one is critical", async () => {
    await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CANCELLED",
      checkout: { status: "ORPHANED" },
    });
    await database.query(
      "SET session_replication_role = replica; UPDATE payments SET updated_at = now() - interval '3 days'; SET session_replication_role = DEFAULT",
    );
    expect((await prove()).verdict).toMatchObject({
      kind: "failed",
      code: "records-differ",
      message: "The books agree, and records do not fit together: orphan-not-settled 1.",
    });
    expect(await findings()).toMatchObject([{ kind: "orphan-not-settled", severity: "critical" }]);
  });
});
