import { expect, it } from "vitest";
import { createPayoutCycle, type PayoutCycle } from "../../../support/payout-cycle.ts";

async function given(): Promise<{ cycle: PayoutCycle; consultant: string; earning: string }> {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  return { cycle, consultant, earning: await cycle.earning(consultant) };
}

const HOLD = `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
              VALUES ($1, $2::hold_kind, 'chargeback', 'Asha')`;
const REFUND = `INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise) VALUES ($1, $2, $3, $4)`;
const AUDIT = `INSERT INTO audit_log (actor, category, action, subject_type, subject_id)
               VALUES ('Asha', 'payout', 'approved', 'payout', 'p')`;

it("one consultant has at most one open hold of a kind, and as many past ones as there were", async () => {
  const { cycle, consultant } = await given();
  await cycle.query(HOLD, [consultant, "manual"]);
  await cycle.query(HOLD, [consultant, "suspended"]);

  await expect(cycle.query(HOLD, [consultant, "manual"])).rejects.toMatchObject({
    constraint: "consultant_holds_one_open",
  });

  await cycle.query("UPDATE consultant_holds SET released_at = now(), released_by = 'Asha'");
  await cycle.query(HOLD, [consultant, "manual"]);
});

it("a hold is released once, by somebody, and otherwise never changed or deleted", async () => {
  const { cycle, consultant } = await given();
  await cycle.query(HOLD, [consultant, "manual"]);

  await expect(
    cycle.query("UPDATE consultant_holds SET released_at = now()"),
  ).rejects.toMatchObject({ constraint: "consultant_holds_released" });
  await expect(cycle.query("UPDATE consultant_holds SET reason = 'x'")).rejects.toMatchObject({
    constraint: "consultant_holds_released_once",
  });
  await cycle.query("UPDATE consultant_holds SET released_at = now(), released_by = 'Asha'");
  await expect(
    cycle.query("UPDATE consultant_holds SET released_at = NULL, released_by = NULL"),
  ).rejects.toMatchObject({ constraint: "consultant_holds_released_once" });
  await expect(cycle.query("DELETE FROM consultant_holds")).rejects.toMatchObject({
    constraint: "consultant_holds_append_only",
  });
});

it.each([
  ["nothing", 0n, 0n, "earning_refunds_amounts"],
  ["less than nothing", 10n, -1n, "earning_refunds_amounts"],
  ["more from the consultant than the buyer got", 10n, 11n, "earning_refunds_amounts"],
  ["more than the earning", 100_001n, 85_000n, "earning_refunds_within_earning"],
  ["more than is owed", 100_000n, 85_001n, "earning_refunds_within_earning"],
  ["gross so that more is owed than is left of it", 99_999n, 1n, "earning_refunds_within_earning"],
])("a refund never takes %s", async (_what, gross, amount, constraint) => {
  const { cycle, earning } = await given();

  await expect(cycle.query(REFUND, [earning, "r", gross, amount])).rejects.toMatchObject({
    constraint,
  });
});

it("refunds together never exceed the earning", async () => {
  const { cycle, earning } = await given();
  await cycle.query(REFUND, [earning, "r1", 60_000n, 51_000n]);

  await expect(cycle.query(REFUND, [earning, "r2", 40_001n, 34_001n])).rejects.toMatchObject({
    constraint: "earning_refunds_within_earning",
  });
  await cycle.query(REFUND, [earning, "r2", 40_000n, 34_000n]);
});

it.each(["UPDATE %t SET id = id", "DELETE FROM %t", "TRUNCATE %t"])(
  "refunds and the audit log refuse %s",
  async (statement) => {
    const { cycle, earning } = await given();
    await cycle.query(REFUND, [earning, "r", 100n, 100n]);
    await cycle.query(AUDIT);

    for (const table of ["earning_refunds", "audit_log"]) {
      await expect(cycle.query(statement.replace("%t", table))).rejects.toMatchObject({
        constraint: `${table}_append_only`,
      });
    }
  },
);

it("an audit entry says who did what", async () => {
  const { cycle } = await given();

  await expect(cycle.query(AUDIT.replace("'Asha'", "' '"))).rejects.toMatchObject({
    constraint: "audit_log_said",
  });
});
