import fc from "fast-check";
import { expect, it } from "vitest";
import { refundEarning } from "../../../../lib/earnings/index.ts";
import {
  approvePayout,
  placeHold,
  rejectPayout,
  releaseHold,
  retryPayout,
} from "../../../../lib/payouts/operate/index.ts";
import { createPayoutCycle } from "../../../support/payout-cycle.ts";

const operator = { by: "Asha", reason: "property" };

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "batch" } as const) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom("approve", "reject", "retry", "fail", "fail", "accept"),
      which: fc.nat(20),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("refund" as const), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("hold", "release"), which: fc.nat(20) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("earn" as const), which: fc.nat(20) }) },
);

/** Each of a person's actions, and what leads to it, on both consultants: chance may miss one. */
const everyAction: [
  string,
  bigint[],
  { do: "approve" | "reject" | "retry" | "fail"; which: number }[],
] = [
  "00000000-0000-4000-8000-000000000000",
  [100_000n, 900_000n],
  [0, 1].flatMap((which) =>
    (["approve", "fail", "retry", "reject"] as const).map((action) => ({ do: action, which })),
  ),
];

it("keeps every earning in at most one live payout, and all sums, in any order of changes", async () => {
  const cycle = await createPayoutCycle();
  const db = cycle.client();
  let created = 0;
  let refunds = 0;

  await fc.assert(
    fc.asyncProperty(
      fc.uuid(),
      fc.array(fc.bigInt(1_000n, 900_000n), { minLength: 2, maxLength: 5 }),
      fc.array(step, { minLength: 4, maxLength: 14 }),
      async (name, amounts, steps) => {
        const consultants = [
          await cycle.consultant(`${name}-a-${created}`),
          await cycle.consultant(`${name}-b-${created}`),
        ];
        created++;
        const one = (which: number): string => consultants[which % 2] ?? "";
        for (const [index, gross] of amounts.entries()) {
          await cycle.earning(one(index), { gross, fee: gross / 10n });
        }
        const pick = async (which: number): Promise<string | undefined> => {
          const rows = await cycle.query<{ id: string }>(
            "SELECT id FROM payouts WHERE consultant_id = ANY ($1) ORDER BY created_at, id",
            [consultants],
          );
          return rows[which % Math.max(rows.length, 1)]?.id;
        };

        for (const change of [{ do: "batch" } as const, ...steps]) {
          if (change.do === "batch") {
            await cycle.batch();
          } else if (change.do === "earn") {
            await cycle.earning(one(change.which), { gross: 60_000n + BigInt(change.which) });
          } else if (change.do === "hold") {
            await placeHold(db, { consultant: one(change.which), kind: "manual", operator });
          } else if (change.do === "release") {
            await releaseHold(db, { consultant: one(change.which), kind: undefined, operator });
          } else if (change.do === "refund") {
            const rows = await cycle.query<{ id: string }>(
              "SELECT id FROM earnings WHERE consultant_id = ANY ($1) ORDER BY booking_reference",
              [consultants],
            );
            const earningId = rows[change.which % rows.length]?.id ?? "";
            const amount = BigInt(change.which + 1) * 37n;
            const key = `rfnd_${++refunds}`;
            await refundEarning(db, { earningId, key, grossPaise: amount, amountPaise: amount });
          } else {
            const payoutId = await pick(change.which);
            if (payoutId === undefined) continue;
            const [payout] = await cycle.query<{ status: string; held: boolean }>(
              `SELECT status::text AS status, EXISTS (
                 SELECT 1 FROM consultant_holds AS hold
                 WHERE hold.consultant_id = payouts.consultant_id AND hold.released_at IS NULL) AS held
               FROM payouts WHERE id = $1`,
              [payoutId],
            );
            if (change.do === "approve") await approvePayout(db, { payoutId, operator });
            else if (change.do === "reject") await rejectPayout(db, { payoutId, operator });
            else if (change.do === "retry") await retryPayout(db, { payoutId, operator });
            // Nobody on hold is claimed: the database refuses it.
            else if (payout?.status !== "APPROVED" || payout.held) continue;
            else if (change.do === "fail") await cycle.fail(payoutId);
            else await cycle.attempt(payoutId, "ACCEPTED");
          }
          expect(await cycle.breaches()).toEqual([]);
        }
        // The next example begins with nothing due.
        await cycle.query("UPDATE earnings SET hold_until = '2099-01-01' WHERE status = 'READY'");
      },
    ),
    { numRuns: 25, endOnFailure: true, examples: [everyAction] },
  );

  const reached = await cycle.query<{ action: string }>("SELECT DISTINCT action FROM audit_log");
  expect(reached.map(({ action }) => action)).toEqual(
    expect.arrayContaining([
      "created-approved",
      "created-pending",
      "approved",
      "rejected",
      "retried",
    ]),
  );
});
