import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CHECKS } from "../../../lib/checks/all.ts";
import { MOST_ROWS, checkRecords } from "../../../lib/checks/run-checks.ts";
import type { CheckRules } from "../../../lib/checks/settings.ts";
import { onSnapshot, openDatabase } from "../../../lib/db/client.ts";
import {
  seedBooking,
  seedPlan,
  seedWaiting,
  type BookingSeed,
  type SeededBooking,
} from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { seedEarning } from "../../support/refund-run.ts";

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

/** The subjects that each check finds, and how many. */
async function findings(
  rules: CheckRules = RULES,
): Promise<Record<string, { subjects: string[]; count: number }>> {
  const db = openDatabase({
    url: database.url,
    applicationName: "checks under test",
    readOnly: true,
    connections: 1,
  });
  try {
    const signal = new AbortController().signal;
    const outcomes = await onSnapshot(db, (tx) => checkRecords(tx, { rules, signal }));
    return Object.fromEntries(
      outcomes
        .filter(({ count }) => count > 0)
        .map(({ kind, rows, count }) => [
          kind,
          { subjects: rows.map(({ subjectId }) => subjectId), count },
        ]),
    );
  } finally {
    await db.close();
  }
}

/** Changes rows that the database would not let anybody change, such as times. */
async function shift(statements: string): Promise<void> {
  await database.query(
    `SET session_replication_role = replica; ${statements}; SET session_replication_role = DEFAULT`,
  );
}

async function booking(seed: Partial<BookingSeed> = {}): Promise<SeededBooking> {
  const plan = seed.plan ?? (await seedPlan(database, { kind: "consultation" }));
  return seedBooking(database, { plan, ...seed });
}

const paid = (seed: Partial<BookingSeed> = {}): Promise<SeededBooking> =>
  booking({ status: "CONFIRMED", checkout: { status: "PAID" }, ...seed });

interface RefundSeed {
  status?: "PENDING" | "PROCESSED" | "FAILED";
  daysAgo?: number;
}

/** A refund of all of a payment, and what the payment is by it. */
async function refund(
  { paymentId = "", legIds }: SeededBooking,
  { status = "PROCESSED", daysAgo = 0 }: RefundSeed = {},
): Promise<string> {
  const id = randomUUID();
  const settled = status === "PENDING" ? "NULL" : "now()";
  await shift(
    `INSERT INTO refunds (id, payment_id, key, amount_paise, reason, requested_by, status, settled_at, created_at)
       VALUES ('${id}', '${paymentId}', '${id}', 100000, 'a test', 'a test', '${status}', ${settled},
               now() - interval '${daysAgo} days');
     INSERT INTO refund_legs (refund_id, payment_leg_id, amount_paise, state, settled_at)
       VALUES ('${id}', '${legIds[0]}', 100000, '${status === "PENDING" ? "DUE" : status}', ${settled});
     UPDATE payments SET status = '${status === "PROCESSED" ? "REFUNDED" : "REFUNDING"}' WHERE id = '${paymentId}'`,
  );
  return id;
}

const earningOf = ({ plan, reference }: SeededBooking, creditedOn?: string): Promise<string> =>
  seedEarning(database, {
    consultantId: plan.consultantId,
    reference,
    ...(creditedOn === undefined ? {} : { creditedOn }),
  });

async function today(daysAgo: number): Promise<string> {
  const [row] = await database.query<{ day: string }>(
    `SELECT (india_today() - ${daysAgo})::text AS day`,
  );
  return row?.day ?? "";
}

async function debt(sold: SeededBooking, daysAgo: number): Promise<string> {
  const earningId = await earningOf(sold, await today(1));
  const id = randomUUID();
  await shift(
    `INSERT INTO earning_recoveries (id, consultant_id, earning_id, key, gross_paise, amount_paise, created_at)
       VALUES ('${id}', '${sold.plan.consultantId}', '${earningId}', '${id}', 100, 100, now() - interval '${daysAgo} days')`,
  );
  return id;
}

/**
 * Makes one row that breaks the rule and returns its subject, then one that is almost like it and does not.
 */
const CASES: Readonly<
  Record<string, { breaks: () => Promise<string>; keeps: () => Promise<void> }>
> = {
  "booking-cancelled-and-paid": {
    breaks: async () => {
      const { id } = await paid({ status: "CANCELLED" });
      await shift(`UPDATE bookings SET updated_at = now() - interval '2 days' WHERE id = '${id}'`);
      return id;
    },
    keeps: async () => {
      await paid({ status: "CANCELLED" });
      const { id } = await paid({ status: "CANCELLED" });
      await shift(`UPDATE bookings SET updated_at = now() - interval '2 days' WHERE id = '${id}'`);
      await database.query(
        `INSERT INTO audit_log (actor, category, action, subject_type, subject_id, detail)
         VALUES ('a person', 'CHECKOUT', 'participation-cancelled', 'booking', $1, '{"money": "keep"}')`,
        [id],
      );
    },
  },
  "booking-confirmed-and-refunded": {
    breaks: async () => {
      const sold = await paid();
      await earningOf(sold, await today(1));
      await refund(sold);
      return sold.id;
    },
    keeps: async () => {
      const sold = await paid({ startsInHours: -48 });
      await earningOf(sold, await today(1));
      await refund(sold);
    },
  },
  "checkout-open-long": {
    breaks: async () => {
      const { paymentId = "" } = await booking({ checkout: {} });
      await shift(
        `UPDATE payments SET created_at = now() - interval '4 days' WHERE id = '${paymentId}'`,
      );
      return paymentId;
    },
    keeps: async () => {
      await booking({ checkout: {} });
    },
  },
  "confirmed-with-tentative-slots": {
    breaks: async () => {
      const { id } = await booking({ status: "CONFIRMED" });
      await shift(
        `UPDATE slots SET tentative = true, updated_at = now() - interval '2 hours' WHERE booking_id = '${id}'`,
      );
      return id;
    },
    keeps: async () => {
      await booking({ status: "CONFIRMED" });
    },
  },
  "confirmed-without-slots": {
    breaks: async () => {
      const { id } = await booking({ status: "CONFIRMED" });
      await shift(`DELETE FROM slots WHERE booking_id = '${id}'`);
      return id;
    },
    keeps: async () => {
      const { id } = await booking({ status: "CONFIRMED" });
      await shift(
        `DELETE FROM slots WHERE booking_id = '${id}'; DELETE FROM appointments WHERE booking_id = '${id}'`,
      );
    },
  },
  "debt-unpaid-long": {
    breaks: async () => debt(await paid(), 61),
    keeps: async () => {
      await debt(await paid(), 59);
    },
  },
  "earnings-wait-long": {
    breaks: async () => {
      const sold = await paid();
      await earningOf(sold, await today(101));
      return `${sold.plan.consultantId} INR`;
    },
    keeps: async () => {
      await earningOf(await paid(), await today(100));
    },
  },
  "offer-outlasts-plan": {
    breaks: async () => {
      const plan = await seedPlan(database, { startsInHours: 24 });
      const { entryId } = await seedWaiting(database, {
        plan,
        status: "NOTIFIED",
        expiresInHours: 25,
      });
      return entryId;
    },
    keeps: async () => {
      const plan = await seedPlan(database, { startsInHours: 24 });
      await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: 23 });
    },
  },
  "orphan-not-settled": {
    breaks: async () => {
      const { paymentId = "" } = await booking({
        status: "CANCELLED",
        checkout: { status: "ORPHANED" },
      });
      await shift(
        `UPDATE payments SET updated_at = now() - interval '3 days' WHERE id = '${paymentId}'`,
      );
      return paymentId;
    },
    keeps: async () => {
      await booking({ status: "CANCELLED", checkout: { status: "ORPHANED" } });
    },
  },
  "paid-without-earning": {
    breaks: async () => (await paid({ startsInHours: -24 * 50 })).id,
    keeps: async () => {
      await paid({ startsInHours: -24 * 40 });
      await earningOf(await paid({ startsInHours: -24 * 50 }), await today(1));
      await paid({ startsInHours: -24 * 300 });
    },
  },
  "references-look-alike": {
    breaks: async () => {
      await booking({ reference: "BK-9" });
      await booking({ reference: "bk-9" });
      return "bk-9";
    },
    keeps: async () => {
      await booking({ reference: "BK-8" });
      await booking({ reference: "BK-8/1" });
    },
  },
  "refund-pending-long": {
    breaks: async () =>
      refund(await paid({ startsInHours: -48 }), { status: "PENDING", daysAgo: 15 }),
    keeps: async () => {
      await refund(await paid({ startsInHours: -48 }), { status: "PENDING", daysAgo: 13 });
    },
  },
  "refund-without-earning": {
    breaks: async () => refund(await paid({ startsInHours: -48 })),
    keeps: async () => {
      const sold = await paid({ startsInHours: -48 });
      await earningOf(sold, await today(1));
      await refund(sold);
    },
  },
  "refunded-and-not-back": {
    breaks: async () => {
      const sold = await paid({ startsInHours: -48 });
      await earningOf(sold, await today(1));
      await refund(sold, { status: "FAILED" });
      await shift(`UPDATE payments SET status = 'REFUNDED' WHERE id = '${sold.paymentId}'`);
      return sold.paymentId ?? "";
    },
    keeps: async () => {
      const sold = await paid({ startsInHours: -48 });
      await earningOf(sold, await today(1));
      await refund(sold);
    },
  },
  "refunding-and-not-asked": {
    breaks: async () => {
      const sold = await paid({ startsInHours: -48 });
      await refund(sold, { status: "FAILED" });
      await shift(
        `UPDATE payments SET updated_at = now() - interval '2 days' WHERE id = '${sold.paymentId}'`,
      );
      return sold.paymentId ?? "";
    },
    keeps: async () => {
      const sold = await paid({ startsInHours: -48 });
      const id = await refund(sold, { status: "FAILED" });
      await shift(
        `UPDATE payments SET updated_at = now() - interval '2 days' WHERE id = '${sold.paymentId}';
           INSERT INTO findings (kind, severity, subject_type, subject_id, details)
             VALUES ('refund-failed', 'critical', 'refund', '${id}', '{}')`,
      );
    },
  },
  "seats-miscounted": {
    breaks: async () => {
      const { id } = await seedPlan(database);
      await shift(`UPDATE plans SET booked_seats = 1 WHERE id = '${id}'`);
      return id;
    },
    keeps: async () => {
      const plan = await seedPlan(database);
      await booking({ plan, seats: 2 });
      await seedWaiting(database, { plan, status: "NOTIFIED" });
    },
  },
  "waiting-for-past-plan": {
    breaks: async () => {
      const plan = await seedPlan(database, { startsInHours: -30 });
      await seedWaiting(database, { plan });
      return plan.id;
    },
    keeps: async () => {
      const plan = await seedPlan(database, { startsInHours: -12 });
      await seedWaiting(database, { plan });
    },
  },
};

describe("a check of the records", () => {
  it.each(CHECKS.map(({ name }) => [name]))(
    "%s finds the row that breaks it, and no other",
    async (name) => {
      const kase = CASES[name];
      if (kase === undefined) throw new Error(`no case for ${name}`);
      const subject = await kase.breaks();
      await kase.keeps();
      expect(await findings()).toEqual({ [name]: { subjects: [subject], count: 1 } });
    },
  );

  it("keeps so many rows, and counts all", async () => {
    await database.query(
      `WITH consultant AS (
         INSERT INTO consultants (external_ref, name) VALUES ('C', 'C') RETURNING id)
       INSERT INTO plans (consultant_id, kind, title, url, capacity, starts_at)
       SELECT id, 'webinar', 'A plan', 'https://marketplace.example', 1, now()
       FROM consultant, generate_series(1, ${MOST_ROWS + 5})`,
    );
    await shift("UPDATE plans SET booked_seats = 1");
    const { "seats-miscounted": found } = await findings();
    expect([found?.subjects.length, found?.count]).toEqual([MOST_ROWS, MOST_ROWS + 5]);
  });

  it("is switched off by its setting", async () => {
    await paid({ startsInHours: -24 * 50 });
    expect(await findings({ ...RULES, earningDays: 0 })).toEqual({});
  });
});
