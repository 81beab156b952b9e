import { describe, expect, it } from "vitest";
import { importEarnings, type ImportReport } from "../../../lib/earnings/index.ts";
import { createPayoutCycle } from "../../support/payout-cycle.ts";
import { runPayouts } from "../../support/payout-world.ts";
import { startSandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { inSession } from "../payouts/sessions.ts";
import type { ColumnName } from "../../../lib/earnings/columns.ts";
import { csv, defaultColumns, read, row, type Cells } from "./builders.ts";

const PAPERS = {
  certificate_number: "1234AB567C",
  certificate_rate: "0.05",
  certificate_from: "2026-04-01",
  certificate_to: "2027-03-31",
  certificate_ceiling: "1000000",
};

const COLUMNS: ColumnName[] = [
  ...defaultColumns,
  "paid_directly",
  "likely_to_exceed",
  "pan_relief_from",
  "pan_relief_to",
  ...(Object.keys(PAPERS) as ColumnName[]),
];

async function problemsOf(cells: Cells): Promise<string[]> {
  const { problems } = await read(csv([row(cells)], COLUMNS));
  return problems.map(({ column, message }) => `${column ?? ""}: ${message}`);
}

describe("the columns of tax papers", () => {
  it.each<[string, Cells, string]>([
    ["half of a relief", { pan_relief_from: "2026-04-01" }, "pan_relief_to: is empty beside"],
    [
      "relief that ends before it begins",
      { pan_relief_from: "2026-04-02", pan_relief_to: "2026-04-01" },
      "pan_relief_from: the days end on 2026-04-01",
    ],
    [
      "a date of another form",
      { ...PAPERS, certificate_to: "31/03/2027" },
      "certificate_to: expected YYYY-MM-DD",
    ],
    [
      "a part of a certificate",
      { certificate_rate: "0.05" },
      "certificate_number: is empty beside certificate_rate",
    ],
    [
      "a number that is none",
      { ...PAPERS, certificate_number: "12" },
      "certificate_number: expected the 10",
    ],
    [
      "a rate that lowers nothing",
      { ...PAPERS, certificate_rate: "1" },
      "certificate_rate: 1% is not below",
    ],
    [
      "a ceiling of zero",
      { ...PAPERS, certificate_ceiling: "0" },
      "certificate_ceiling: expected a ceiling",
    ],
    [
      "a certificate without PAN",
      { ...PAPERS, pan: "" },
      "certificate_number: given without a PAN",
    ],
    ["more paid directly than there is", { paid_directly: "999999999" }, "paid_directly: ₹"],
    [
      "a mark that is neither",
      { likely_to_exceed: "perhaps" },
      "likely_to_exceed: expected one of yes, no",
    ],
  ])("refuse %s, by line and column", async (_what, cells, message) => {
    expect(await problemsOf(cells)).toContainEqual(expect.stringContaining(message));
  });

  it("are recorded once with an entry in the audit log, and never changed by a file", async () => {
    const cycle = await createPayoutCycle();
    const bring = async (cells: Cells): Promise<ImportReport> => {
      const file = await read(csv([row(cells)], COLUMNS));
      return inSession(cycle, (client) => importEarnings(client, file));
    };
    const cells = { ...PAPERS, likely_to_exceed: "yes" };
    expect((await bring(cells)).outcome).toBe("imported");
    expect((await bring(cells)).outcome).toBe("imported");
    expect(
      await cycle.query(
        "SELECT number, rate_bps AS rate, ceiling_paise AS ceiling FROM lower_deduction_certificates",
      ),
    ).toEqual([{ number: PAPERS.certificate_number, rate: 5, ceiling: 10_00_000_00n }]);
    expect(await cycle.query("SELECT likely_to_exceed AS likely FROM tax_profiles")).toEqual([
      { likely: true },
    ]);
    const audit = await cycle.query<{ actor: string; action: string }>(
      "SELECT actor, action, detail FROM audit_log WHERE category = 'tax'",
    );
    expect(audit).toMatchObject([{ action: "papers-imported" }]);
    expect(JSON.stringify(audit)).not.toContain(PAPERS.certificate_number);

    const changes: [Cells, string][] = [
      [{ ...cells, certificate_rate: "0.02" }, "is on record with other terms"],
      [{ ...cells, certificate_number: "9234AB567C" }, "overlaps another certificate"],
      [{ ...cells, likely_to_exceed: "no" }, "take the mark away"],
    ];
    for (const [changed, message] of changes) {
      const { outcome, problems } = await bring(changed);
      expect([outcome, JSON.stringify(problems)]).toEqual([
        "refused",
        expect.stringContaining(message),
      ]);
    }
  });
});

describe("what was paid to the consultant directly", () => {
  it("is taxed and not paid again: its tax is taken from the next payout", async () => {
    const cycle = await createPayoutCycle();
    const sandbox = await startSandbox();
    const company = { pan: "ZZZCZ0000Z", category: "company", credit_date: "2026-06-15" };
    const direct = { ...company, gross: "10000", platform_fee: "0", paid_directly: "10000" };
    const part = { gross: "10000", platform_fee: "1000", paid_directly: "4000" };
    const bring = async (rows: Cells[]): Promise<ImportReport> => {
      const file = await read(csv(rows, COLUMNS));
      return inSession(cycle, (client) => importEarnings(client, file, { approve: true }));
    };
    try {
      const alone = await bring([row({ ...direct, booking_reference: "direct" })]);
      expect(alone).toMatchObject({ outcome: "imported", payouts: { count: 0 } });
      await cycle.batch();
      expect(await cycle.query("SELECT 1 FROM payouts")).toEqual([]);

      await bring([row({ ...company, ...part, booking_reference: "part" })]);
      await cycle.query("UPDATE payouts SET status = 'REJECTED'");
      await cycle.query("UPDATE payout_items SET released_at = now()");
      await cycle.query("UPDATE earnings SET status = 'READY'");
      await cycle.batch({
        settings: {
          minimumPaise: 1n,
          smallAfterDays: 0,
          autoApprovePaise: 1_00_000_00n,
          settlementDays: 0,
        },
      });
      expect(
        await cycle.query(
          `SELECT gross_paise AS gross, amount_paise AS amount FROM payouts WHERE status = 'APPROVED'`,
        ),
      ).toEqual([{ gross: 20_000_00n, amount: 5_000_00n }]);
      await runPayouts({ database: cycle, sandbox });
      expect(
        await cycle.query(
          `SELECT tax_paise AS tax, net_paise AS net FROM payouts WHERE status = 'COMPLETED'`,
        ),
      ).toEqual([{ tax: 20_00n, net: 4_980_00n }]);
      expect(sandbox.payouts().map(({ amount }) => amount)).toEqual([4_980_00]);
      expect(await cycle.breaches()).toEqual([]);
    } finally {
      await sandbox.close();
    }
  });
});
