import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { EarningsFile } from "../../../lib/earnings/index.ts";
import { refusedAccounts, timeoutAccounts } from "../../../scripts/dev/demo/bad-accounts.ts";
import { read } from "./builders.ts";

const LAKH_PAISE = 1_00_000_00n;

let file: EarningsFile;

beforeAll(async () => {
  const sample = new URL("../../../scripts/dev/demo/sample-earnings.csv", import.meta.url);
  file = await read(readFileSync(sample));
});

/** Gross and amount of a consultant's week. */
function weekOf(ref: string): { grossPaise: bigint; amountPaise: bigint } {
  const week = { grossPaise: 0n, amountPaise: 0n };
  for (const earning of file.rows.filter(({ consultantRef }) => consultantRef === ref)) {
    week.grossPaise += earning.grossPaise;
    week.amountPaise += earning.amountPaise;
  }
  return week;
}

describe("the sample export", () => {
  it("has no problem, 220 consultants and one week of sales", () => {
    expect(file.problems).toEqual([]);
    expect(file.consultants.size).toBe(220);
    expect(file.rowCount).toBe(1002);
    const days = new Set(file.rows.map(({ creditedOn }) => creditedOn));
    expect([...days].sort()).toEqual([15, 16, 17, 18, 19, 20, 21].map((day) => `2026-11-${day}`));
  });

  it("has payees of every kind, with and without PAN and Aadhaar", () => {
    const kinds = new Set(
      [...file.consultants.values()].map(
        ({ details }) =>
          `${details.category} ${details.panStatus ?? ""} ${String(details.aadhaar)}`,
      ),
    );
    for (const category of ["individual", "huf", "company", "firm", "other"]) {
      expect([...kinds].some((kind) => kind.startsWith(`${category} valid`))).toBe(true);
    }
    expect([...kinds]).toEqual(
      expect.arrayContaining(["individual missing true", "individual missing false"]),
    );
    expect([...kinds].some((kind) => kind.startsWith("individual inoperative"))).toBe(true);
  });

  it("gives every consultant a PAN and an account of its own", () => {
    const all = [...file.consultants.values()].map(({ details }) => details);
    const pans = all.map(({ pan }) => pan).filter((pan) => pan !== null);
    expect(new Set(pans).size).toBe(pans.length);
    expect(new Set(all.map(({ account }) => JSON.stringify(account))).size).toBe(220);
  });

  it("crosses the exemption, reaches it exactly, and needs RTGS once", () => {
    expect(file.consultants.get("C-105")?.details.category).toBe("individual");
    expect(weekOf("C-105").grossPaise).toBeGreaterThan(5n * LAKH_PAISE);
    expect(weekOf("C-118").grossPaise).toBe(5n * LAKH_PAISE);
    const large = [...file.consultants.keys()].filter(
      (ref) => weekOf(ref).amountPaise > 5n * LAKH_PAISE,
    );
    expect(large).toEqual(["C-200"]);
  });

  it("keeps consultants with a VPA below the limit of UPI", () => {
    const byVpa = [...file.consultants.values()].filter(
      ({ details }) => details.account.kind === "vpa",
    );
    expect(byVpa.length).toBeGreaterThan(50);
    for (const { details } of byVpa) {
      expect(weekOf(details.ref).amountPaise).toBeLessThan(LAKH_PAISE);
    }
  });

  it("has the accounts that the demo's provider refuses and those that time out", () => {
    const holders = new Map(
      [...file.consultants.values()].map(({ details: { account, ref } }) => [
        account.kind === "bank_account" ? account.accountNumber : "",
        ref,
      ]),
    );
    expect(refusedAccounts.map((account) => holders.get(account))).toEqual([
      "C-013",
      "C-046",
      "C-071",
      "C-088",
    ]);
    expect(timeoutAccounts.map((account) => holders.get(account))).toEqual(["C-059"]);
  });
});
