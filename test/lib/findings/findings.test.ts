import { expect, it, onTestFinished } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import {
  findFindings,
  isResolved,
  listFindings,
  recordFinding,
  resolveFinding,
  type NewFinding,
} from "../../../lib/findings/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { seedFinding } from "../../support/ops.ts";

async function given(): Promise<{ database: TestDatabase; client: () => Db }> {
  const database = await createTestDatabase();
  const clients: Db[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await database.drop();
  });
  const client = (): Db => {
    const made = openDatabase({
      url: database.url,
      applicationName: "findings test",
      readOnly: false,
      connections: 1,
    });
    clients.push(made);
    return made;
  };
  return { database, client };
}

const finding = (subjectId: string, change: Partial<NewFinding> = {}): NewFinding => ({
  kind: "amount-differs",
  severity: "critical",
  subjectType: "payout",
  subjectId,
  details: { oursPaise: 1n },
  ...change,
});
const everything = { all: true, severity: undefined, kind: undefined, limit: 50 };

it("lists what is open, critical first, then last seen first, in bounded pages", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("old"));
  await recordFinding(
    db,
    finding("mild", { severity: "warning", kind: "unexplained-transaction" }),
  );
  await recordFinding(db, finding("new"));
  await recordFinding(db, finding("done"));
  await database.query(
    "UPDATE findings SET last_seen_at = now() - interval '1 day' WHERE subject_id = 'old'",
  );
  const [done] = await database.query<{ id: string }>(
    "SELECT id FROM findings WHERE subject_id = 'done'",
  );
  await resolveFinding(db, { findingId: done?.id ?? "", by: "Asha", reason: "paid by hand" });
  const subjects = async (filter: Partial<typeof everything>): Promise<string[]> => {
    const { findings } = await listFindings(db, { ...everything, all: false, ...filter });
    return findings.map(({ subjectId }) => subjectId);
  };

  expect(await subjects({})).toEqual(["new", "old", "mild"]);
  expect(await subjects({ all: true })).toEqual(["new", "old", "mild", "done"]);
  expect((await listFindings(db, { ...everything, severity: "warning" })).findings).toHaveLength(1);
  expect(
    (await listFindings(db, { ...everything, kind: "unexplained-transaction" })).findings,
  ).toHaveLength(1);
  expect(await listFindings(db, { ...everything, limit: 3 })).toMatchObject({ more: true });
  expect(await listFindings(db, { ...everything, limit: 4 })).toMatchObject({ more: false });
  expect(await findFindings(db, done?.id.slice(0, 8) ?? "")).toMatchObject([
    { subjectId: "done", resolvedBy: "Asha", resolution: "paid by hand" },
  ]);
  expect(await findFindings(db, "%")).toEqual([]);
});

it("is resolved once, by one of several people, with an audit entry; the others are told who it was", async () => {
  const { database, client } = await given();
  await recordFinding(client(), finding("p"));
  const [row] = await database.query<{ id: string }>("SELECT id FROM findings");
  const findingId = row?.id ?? "";

  const people = ["Asha", "Binu", "Charu"];
  const results = await Promise.all(
    people.map((by) => resolveFinding(client(), { findingId, by, reason: `seen by ${by}` })),
  );

  const winner = people[results.findIndex(({ outcome }) => outcome === "resolved")] ?? "";
  expect(results.filter(({ outcome }) => outcome === "resolved")).toHaveLength(1);
  for (const result of results.filter(({ outcome }) => outcome !== "resolved")) {
    expect(result).toMatchObject({ outcome: "already", by: winner, reason: `seen by ${winner}` });
  }
  expect(await database.query("SELECT resolved_by, resolution FROM findings")).toEqual([
    { resolved_by: winner, resolution: `seen by ${winner}` },
  ]);
  expect(
    await database.query(
      "SELECT actor, category, action, subject_type, subject_id, reason, detail FROM audit_log",
    ),
  ).toEqual([
    {
      actor: winner,
      category: "finding",
      action: "resolved",
      subject_type: "finding",
      subject_id: findingId,
      reason: `seen by ${winner}`,
      detail: { kind: "amount-differs", subjectType: "payout", subjectId: "p" },
    },
  ]);
  const nobody = "00000000-0000-4000-8000-000000000001";
  expect(await resolveFinding(client(), { findingId: nobody, by: "Asha", reason: "x" })).toEqual({
    outcome: "unknown",
  });
});

it("seen again while it is open is the same, and after it was resolved a new one", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("p"));
  await recordFinding(db, finding("p"));
  const [row] = await database.query<{ id: string }>("SELECT id FROM findings");
  await resolveFinding(db, { findingId: row?.id ?? "", by: "Asha", reason: "mended" });
  await recordFinding(db, finding("p", { details: { again: true } }));

  expect(
    await database.query(
      "SELECT resolved_by, details FROM findings ORDER BY resolved_by NULLS LAST",
    ),
  ).toEqual([
    { resolved_by: "Asha", details: { oursPaise: "1" } },
    { resolved_by: null, details: { again: true } },
  ]);
});

it("that is resolved stays resolved while it is the same in every part, and only then", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("p"));
  const [row] = await database.query<{ id: string }>("SELECT id FROM findings");
  await resolveFinding(db, { findingId: row?.id ?? "", by: "Asha", reason: "mended" });

  expect(await recordFinding(db, finding("p"))).toBe(false);
  for (const other of [{ kind: "payable-drift" }, { subjectType: "earning" }] as const) {
    expect(await recordFinding(db, finding("p", other))).toBe(true);
    expect(await recordFinding(db, finding("p"))).toBe(false);
  }
  expect(await recordFinding(db, finding("p", { details: {} }))).toBe(true);
  expect(await recordFinding(db, finding("q"))).toBe(true);
  expect(await database.query("SELECT 1 FROM findings WHERE resolved_at IS NULL")).toHaveLength(4);
});

it("that is open and seen again is open still, and says when it was last seen", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("p"));
  await database.query("UPDATE findings SET last_seen_at = now() - interval '1 day'");
  expect(await recordFinding(db, finding("p"))).toBe(true);
  expect(
    await database.query("SELECT last_seen_at > now() - interval '1 hour' AS recent FROM findings"),
  ).toEqual([{ recent: true }]);
});

it("that is resolved never changes, and says by whom and why", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("p"));
  const resolve = (by: string, reason: string) =>
    database.query(
      "UPDATE findings SET resolved_at = now(), resolved_by = $1, resolution = $2 WHERE resolved_at IS NULL",
      [by, reason],
    );
  for (const [by, reason] of [
    [" ", "mended"],
    ["Asha", " "],
  ] as const) {
    await expect(resolve(by, reason)).rejects.toMatchObject({
      constraint: "findings_resolution_said",
    });
  }
  await expect(database.query("UPDATE findings SET resolved_at = now()")).rejects.toMatchObject({
    constraint: "findings_resolution",
  });
  await resolve("Asha", "mended");
  for (const change of [
    "resolution = 'another'",
    "resolved_at = NULL, resolved_by = NULL, resolution = NULL",
    "details = '{}'",
  ]) {
    await expect(database.query(`UPDATE findings SET ${change}`)).rejects.toMatchObject({
      constraint: "findings_resolved_once",
    });
  }
});

it("stays open while a resolved one with the same details stands beside it", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("p"));
  await database.query(RESOLVED_BESIDE);
  expect(await recordFinding(db, finding("p"))).toBe(true);
  expect(await isResolved(db, finding("p"))).toBe(false);
  await database.query(
    "UPDATE findings SET resolved_at = now(), resolved_by = 'Asha', resolution = 'x' WHERE resolved_at IS NULL",
  );
  expect(await recordFinding(db, finding("p"))).toBe(false);
  expect(await isResolved(db, finding("p"))).toBe(true);
});

/** As a row of before the trigger: an owner who has switched it off writes one as well. */
const RESOLVED_BESIDE = `
  INSERT INTO findings (kind, severity, subject_type, subject_id, details, resolved_at, resolved_by, resolution)
  SELECT kind, severity, subject_type, subject_id, details, now(), 'asha', 'checked with the bank'
  FROM findings, set_config('session_replication_role', 'replica', true)`;

it.each([
  "resolved_at = now(), resolved_by = 'asha', resolution = 'x'",
  "resolved_by = 'asha'",
  "resolution = 'x'",
])("can not begin resolved, not for the owner either (%s)", async (columns) => {
  const { database } = await given();
  const names = columns.replace(/ = [^,]+/g, "");
  const values = columns.replace(/[a-z_]+ = /g, "");
  await expect(
    database.query(
      `INSERT INTO findings (kind, severity, subject_type, subject_id, details, ${names})
       VALUES ('amount-differs', 'critical', 'payout', 'p', '{}', ${values})`,
    ),
  ).rejects.toMatchObject({ constraint: "findings_begin_open" });
});

it("gets no milder while it is open, and keeps what was seen first and when", async () => {
  const { database, client } = await given();
  const db = client();
  await recordFinding(db, finding("p", { severity: "warning" }));
  await recordFinding(db, finding("p", { severity: "critical" }));
  await recordFinding(db, finding("p", { severity: "warning", details: {} }));
  await database.query("UPDATE findings SET severity = 'warning', details = '[]'");
  expect(await database.query("SELECT severity, details, first_details FROM findings")).toEqual([
    { severity: "critical", details: [], first_details: { oursPaise: "1" } },
  ]);
  for (const change of ["first_details = NULL", "subject_id = 'other'", "first_seen_at = now()"])
    await expect(database.query(`UPDATE findings SET ${change}`)).rejects.toMatchObject({
      constraint: "findings_same_subject",
    });
});

it("is resolved now and by the login of the session, whatever the statement says", async () => {
  const { database, client } = await given();
  await recordFinding(client(), finding("p"));
  await database.query(
    `UPDATE findings SET resolved_at = '2001-01-01', resolved_by = 'Asha', resolution = 'x', resolved_login = 'cfo'`,
  );
  expect(
    await database.query(
      "SELECT resolved_at > now() - interval '1 hour' AS now, resolved_login = session_user AS own FROM findings",
    ),
  ).toEqual([{ now: true, own: true }]);
});

it("is not deleted on the day on which it was resolved or seen", async () => {
  const { database } = await given();
  await seedFinding(database, { subjectId: "old", resolvedDaysAgo: 3, seenDaysAgo: 3 });
  await seedFinding(database, { subjectId: "seen", resolvedDaysAgo: 3, seenDaysAgo: 0.5 });
  await expect(
    database.query("DELETE FROM findings WHERE subject_id = 'seen'"),
  ).rejects.toMatchObject({ constraint: "findings_young_stays" });
  await database.query("DELETE FROM findings WHERE subject_id = 'old'");
});
