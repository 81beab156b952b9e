import { describe, expect, it } from "vitest";
import { DEFAULT_REFUND_BASE, defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { readChallans } from "../../../lib/tax-returns/index.ts";
import {
  addCertificate,
  addRelief,
  endCertificate,
  endRelief,
  listCertificates,
  listRelief,
  markLikely,
  parseCertificateNumber,
  parseRate,
  readHigherRateTaken,
  type CertificateTerms,
} from "../../../lib/tds/papers/index.ts";
import type { PayeeSeed } from "../../support/payout-world.ts";
import { withDb } from "../payouts/sessions.ts";
import { useWorld } from "../payouts/world.ts";

const world = useWorld();
const SETTINGS = { tax: defaultTaxPolicy, refundBase: DEFAULT_REFUND_BASE };
const operator = { by: "asha", reason: "paper of 1 June" };
const LAKH = 1_00_000_00n;

const JUNE: PayeeSeed = {
  category: "company",
  payouts: [{ earnings: [{ creditedOn: "2026-06-15", grossPaise: LAKH }] }],
};
const PAPER: CertificateTerms = {
  number: "1234AB567C",
  rateBps: 5,
  from: "2026-04-01",
  to: "2027-03-31",
  ceilingPaise: 10n * LAKH,
};

const certify = (payee: string, change: Partial<CertificateTerms> = {}, beside = false) =>
  withDb(world.database, (db) =>
    addCertificate(db, { payee, certificate: { ...PAPER, ...change }, beside, operator }),
  );
const relieve = (payee: string, from: string, to: string) =>
  withDb(world.database, (db) => addRelief(db, { payee, from, to, operator }));
const end = (payee: string, on: string) =>
  withDb(world.database, (db) => endRelief(db, { payee, on, operator }));

const accrued = async (): Promise<bigint> => {
  const { challans } = await withDb(world.database, (db) =>
    readChallans(db, { all: true, settings: SETTINGS }),
  );
  return challans.reduce((sum, { accruedPaise }) => sum + accruedPaise, 0n);
};

const audited = () =>
  world.database.query<Record<string, unknown>>(
    "SELECT actor, action, reason, detail FROM audit_log WHERE category = 'tax' ORDER BY id",
  );

describe("days of relief", () => {
  it("lower the tax of what is assessed from then on, and end", async () => {
    const { consultantId } = await world.payout({ ...JUNE, panStatus: "inoperative" });
    expect(await accrued()).toBe(5_000_00n);
    expect(await relieve(consultantId, "2026-06-01", "2026-06-30")).toMatchObject({
      outcome: "changed",
      before: null,
    });
    expect((await relieve(consultantId, "2026-06-01", "2026-06-30")).outcome).toBe("known");
    expect(await accrued()).toBe(100_00n);

    await end(consultantId, "2026-06-10");
    expect(await accrued()).toBe(5_000_00n);
    expect((await end(consultantId, "2026-05-31")).after).toBeNull();
    expect(await withDb(world.database, (db) => listRelief(db))).toMatchObject([
      { panStatus: "inoperative", from: null, to: null },
    ]);
    const range = { from: "2026-06-01", to: "2026-06-30" };
    expect(await audited()).toMatchObject([
      { actor: "asha", action: "relief-added", detail: { before: null, after: range } },
      { action: "relief-ended", detail: { before: range, after: { to: "2026-06-10" } } },
      { action: "relief-ended", detail: { after: null } },
    ]);
  });

  it("are refused where they can not be right, and nothing is written", async () => {
    const { consultantId } = await world.payout({ ...JUNE, panStatus: "inoperative" });
    const missing = await world.payout({ ...JUNE, panStatus: "missing" });
    const valid = await world.payout({ ...JUNE, panStatus: "valid" });
    const refusals: [() => Promise<unknown>, string][] = [
      [() => relieve(valid.consultantId, "2026-06-01", "2026-06-30"), "RELIEF_FOR_VALID_PAN"],
      [() => relieve(consultantId, "2026-06-30", "2026-06-01"), "RELIEF_DATES"],
      [() => relieve(consultantId, "2023-06-30", "2026-06-01"), "RELIEF_DATES"],
      [() => relieve(missing.consultantId, "2026-06-01", "2026-06-30"), "RELIEF_WITHOUT_PAN"],
      [() => relieve("nobody", "2026-06-01", "2026-06-30"), "UNKNOWN_PAYEE"],
      [() => end(consultantId, "2026-06-30"), "NO_RELIEF"],
    ];
    for (const [act, code] of refusals) await expect(act(), code).rejects.toMatchObject({ code });
    await relieve(consultantId, "2026-06-01", "2026-06-30");
    await expect(relieve(consultantId, "2026-07-01", "2026-07-31")).rejects.toMatchObject({
      code: "RELIEF_EXISTS",
    });
    await expect(end(consultantId, "2026-07-31")).rejects.toMatchObject({ code: "RELIEF_DATES" });
    expect(await audited()).toHaveLength(1);
  });
});

describe("tax taken at the higher rate", () => {
  const taken = () => withDb(world.database, (db) => readHigherRateTaken(db, defaultTaxPolicy));

  it("is shown with its amount once relief covers the credits", async () => {
    const { consultantId } = await world.payout({ ...JUNE, panStatus: "inoperative" });
    await world.run();
    expect(await taken()).toEqual([]);
    await relieve(consultantId, "2026-06-01", "2026-06-30");
    expect(await taken()).toMatchObject([
      {
        fiscalYear: 2026,
        credits: 1,
        grossPaise: LAKH,
        takenPaise: 5_000_00n,
        differencePaise: 4_900_00n,
        cause: "relief",
      },
    ]);
  });

  it("is not shown where there was no PAN then: it was right, and stays", async () => {
    await world.payout({ ...JUNE, panStatus: "missing" });
    await world.run();
    await world.database.query("UPDATE tax_profiles SET pan_status = 'valid', pan = 'ZZZCZ0000Z'");
    expect(await taken()).toEqual([]);
  });

  it("is shown with another word where the PAN is valid by now, exemption and all", async () => {
    await world.payout({ ...JUNE, category: "individual", panStatus: "inoperative" });
    await world.run();
    await world.database.query("UPDATE tax_profiles SET pan_status = 'valid'");
    expect(await taken()).toMatchObject([
      { takenPaise: 5_000_00n, differencePaise: 5_000_00n, cause: "pan-valid-now" },
    ]);
  });
});

describe("certificates", () => {
  it("lower the tax within their ceiling, are audited with a masked number, and end", async () => {
    const { consultantId } = await world.payout(JUNE);
    expect(await certify(consultantId)).toMatchObject({
      outcome: "changed",
      panDoesNotCount: false,
    });
    expect((await certify(consultantId)).outcome).toBe("known");
    expect(await accrued()).toBe(50_00n);
    await world.run();
    expect(await withDb(world.database, (db) => listCertificates(db))).toMatchObject([
      { number: PAPER.number, usedPaise: LAKH, ceilingPaise: 10n * LAKH },
    ]);

    const endOn = (on: string) =>
      withDb(world.database, (db) =>
        endCertificate(db, { payee: consultantId, number: PAPER.number, on, operator }),
      );
    await expect(endOn("2026-06-14")).rejects.toMatchObject({ code: "CERTIFICATE_USED" });
    await expect(endOn("2027-04-01")).rejects.toMatchObject({ code: "CERTIFICATE_TERMS" });
    expect(await endOn("2026-06-15")).toMatchObject({ outcome: "changed" });
    const entries = await audited();
    expect(entries).toMatchObject([
      { action: "certificate-added", detail: { before: null, after: { to: "2027-03-31" } } },
      { action: "certificate-ended", detail: { before: { to: "2027-03-31" } } },
    ]);
    expect(JSON.stringify(entries, (_, value: unknown) => String(value))).not.toContain(
      PAPER.number,
    );
  });

  it("are refused where they can not be right, and nothing is written", async () => {
    const { consultantId } = await world.payout(JUNE);
    const missing = await world.payout({ ...JUNE, panStatus: "missing" });
    const refusals: [() => Promise<unknown>, string][] = [
      [() => certify(consultantId, { to: "2026-03-31" }), "CERTIFICATE_TERMS"],
      [() => certify(consultantId, { ceilingPaise: 0n }), "CERTIFICATE_TERMS"],
      [() => certify(consultantId, { rateBps: 10 }), "CERTIFICATE_TERMS"],
      [() => certify(consultantId, { from: "2020-09-30" }), "CERTIFICATE_TERMS"],
      [() => certify(missing.consultantId), "CERTIFICATE_WITHOUT_PAN"],
    ];
    for (const [act, code] of refusals) await expect(act(), code).rejects.toMatchObject({ code });
    expect(await audited()).toEqual([]);

    await certify(consultantId);
    await expect(certify(consultantId, { rateBps: 2 })).rejects.toMatchObject({
      code: "CERTIFICATE_DIFFERS",
    });
    const other = { number: "9234AB567C", from: "2027-03-31", to: "2027-06-30" };
    await expect(certify(consultantId, other)).rejects.toMatchObject({
      code: "CERTIFICATE_OVERLAPS",
    });
    expect((await certify(consultantId, other, true)).outcome).toBe("changed");
  });

  it.each([
    ["0.05", 5],
    ["0", 0],
    ["0.1", 10],
    ["1", 100],
    ["0.005", undefined],
    ["-1", undefined],
    ["", undefined],
  ])("a rate of %j per cent is %s basis points", (text, rateBps) => {
    expect(parseRate(text)).toBe(rateBps);
  });

  it.each([
    ["1234ab567c", "1234AB567C"],
    ["123456789012345", "123456789012345"],
    ["123", undefined],
    ["1234 AB567", undefined],
  ])("the number %j is read as %s", (text, number) => {
    expect(parseCertificateNumber(text)).toBe(number);
  });
});

describe("the mark of a large year", () => {
  it("taxes from the first rupee until it is taken away, and is audited", async () => {
    const { consultantId } = await world.payout({ ...JUNE, category: "individual" });
    const mark = (isLikely: boolean) =>
      withDb(world.database, (db) => markLikely(db, { payee: consultantId, isLikely, operator }));
    expect(await accrued()).toBe(0n);
    expect((await mark(true)).outcome).toBe("changed");
    expect((await mark(true)).outcome).toBe("known");
    expect(await accrued()).toBe(100_00n);
    await mark(false);
    expect(await accrued()).toBe(0n);
    expect((await audited()).map(({ action }) => action)).toEqual([
      "likely-marked",
      "likely-ended",
    ]);
  });

  it("is refused for a payee without an exemption", async () => {
    const { consultantId } = await world.payout(JUNE);
    await expect(
      withDb(world.database, (db) =>
        markLikely(db, { payee: consultantId, isLikely: true, operator }),
      ),
    ).rejects.toMatchObject({ code: "NO_EXEMPTION" });
  });
});
