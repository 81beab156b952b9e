import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Db } from "../../lib/db/client.ts";
import { importEarnings } from "../../lib/earnings/index.ts";
import { lockAgainstHolds } from "../../lib/payouts/state/on-hold.ts";
import { placeHold } from "../../lib/payouts/operate/index.ts";
import { recordDeposit } from "../../lib/tax-returns/index.ts";
import { DEFAULT_REFUND_BASE, defaultTaxPolicy } from "../../lib/tds/index.ts";
import { requireDay } from "../../lib/support/calendar.ts";
import { migrate } from "../../scripts/dev/migrate/apply.ts";
import { applyRoles } from "../../scripts/cli/schema/roles.ts";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { startPostgres, type RunningPostgres } from "../../scripts/dev/services/postgres.ts";
import { csv, read, row } from "../lib/earnings/builders.ts";
import { runJob } from "../support/job-process.ts";
import { jobEnv } from "../support/payout-world.ts";
import { createPayoutCycle, type PayoutCycle } from "../support/payout-cycle.ts";
import { createLogins } from "../support/roles.ts";

/** A session that stays open until the test ends. */
async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "somebody" });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Everything that a login which may only read can hold: each table, and the numbers that once were locks here. */
async function heldByReader(cycle: PayoutCycle, consultantId: string): Promise<void> {
  const logins = await createLogins(cycle);
  onTestFinished(() => logins.drop());
  const { url } = await logins.login("afterhours_readonly");
  const reader = await session(url);
  await reader.query("BEGIN");
  const { rows } = await reader.query<{ name: string }>(
    "SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
  );
  for (const { name } of rows) await reader.query(`LOCK TABLE ${name} IN ACCESS SHARE MODE`);
  await reader.query(
    `SELECT pg_advisory_lock(key) FROM unnest(ARRAY[4113572027, 4073120611, hashtext('tax_deposits'),
       hashtextextended('payee on hold:' || $1::text, 0)]) AS key`,
    [consultantId],
  );
}

describe("a login that may only read", () => {
  it("holds up neither a revocation of rights, nor an import, a deposit, a hold or a claim", async () => {
    const cycle = await createPayoutCycle();
    const consultantId = await cycle.consultant("C-1");
    await cycle.earning(consultantId, { gross: 900_000n, fee: 1n });
    await cycle.batch();
    await heldByReader(cycle, consultantId);
    const db: Db = cycle.client();

    await applyRoles({ url: cycle.url });
    const importer = await session(cycle.url);
    const file = await read(csv([row({ consultant: "N-1" })]));
    expect((await importEarnings(importer, file)).outcome).toBe("imported");
    const operator = { by: "Asha", reason: "as agreed" };
    expect((await placeHold(db, { consultant: "C-1", kind: "manual", operator })).done).toBe(true);
    const payouts = await cycle.query<{ id: string }>("SELECT id FROM payouts");
    await lockAgainstHolds(
      db,
      payouts.map(({ id }) => id),
    );
    // Let in, and refused by its own rule: nothing is due.
    const deposit = {
      month: "2026-07",
      section: "x",
      code: "x",
      amountPaise: 1n,
      challanReference: "x",
      depositedOn: day("2026-08-05"),
      recordedBy: "Asha",
    };
    await expect(
      recordDeposit(db, deposit, {
        tax: defaultTaxPolicy,
        refundBase: DEFAULT_REFUND_BASE,
      }),
    ).rejects.toMatchObject({ code: "DEPOSIT_EXCEEDS" });
  });
});

describe("a login of any kind", () => {
  it("can use up the server's memory for locks: a run says so and claims nothing, until its session has ended", async () => {
    const server = await startPostgres({ durability: "none", inMemory: true });
    onTestFinished(() => server.stop());
    const url = await migrated(server);
    const login = new URL(url);
    login.username = login.password = "reader";
    await applyRoles({ url });
    const owner = await session(url);
    await owner.query("CREATE ROLE reader LOGIN PASSWORD 'reader' IN ROLE afterhours_readonly");
    const reader = new pg.Client({ connectionString: login.href });
    reader.on("error", () => undefined);
    await reader.connect();
    // More than once: a statement that fails gives a little back.
    for (let round = 0; round < 20; round++) {
      const taken = reader.query(
        "SELECT count(pg_advisory_lock($1, i)) FROM generate_series(1, 10000000) AS i",
        [round],
      );
      await expect(taken).rejects.toMatchObject({ code: "53200" });
    }

    const sandbox = await startSandbox();
    onTestFinished(() => sandbox.close());
    const env = jobEnv({ database: { url, environment: "full" }, sandbox, lockStore: "postgres" });
    const end = await runJob({ env });
    expect(end).toMatchObject({ exitCode: 1, outputs: { outcome: "failed" } });
    expect(end.stdout).toContain("has no memory, disk or connection left (53200)");
    expect(sandbox.calls()).toEqual([]);

    await reader.end();
    await applyRoles({ url });
    expect(await runJob({ env })).toMatchObject({ exitCode: 0, outputs: { outcome: "completed" } });
  });
});

async function migrated(server: RunningPostgres): Promise<string> {
  const admin = await session(server.url);
  await admin.query("CREATE DATABASE full_of_locks");
  const url = server.urlOf("full_of_locks");
  await migrate({ url });
  return url;
}

describe("rights that are being changed by somebody else", () => {
  it("are not waited for long: the message names the session and how to end it", async () => {
    const cycle = await createPayoutCycle();
    const owner = await session(cycle.url);
    await owner.query("BEGIN; LOCK TABLE _prisma_migrations IN SHARE ROW EXCLUSIVE MODE");
    const [pid] = (await owner.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows;
    const applied = applyRoles({ url: cycle.url });
    await expect(applied).rejects.toMatchObject({
      code: "ROLES_NOT_APPLIED",
      message: expect.stringContaining(
        `locked by session ${pid?.pid ?? 0} (login postgres, program "somebody")`,
      ) as string,
      remedy: expect.stringContaining(`SELECT pg_terminate_backend(${pid?.pid ?? 0});`) as string,
    });
  });
});

describe("a lock by number, which everybody can take,", () => {
  it("is in no function of the database", async () => {
    const cycle = await createPayoutCycle();
    expect(
      await cycle.query(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND pg_get_functiondef(oid) ~ 'advisory'",
      ),
    ).toEqual([]);
  });

  it("is in no program but that which migrates, which says who holds it", () => {
    const root = join(import.meta.dirname, "../..");
    const found = ["lib", "jobs", "scripts", "prisma/roles.sql"].flatMap((place) =>
      filesOf(join(root, place)).filter((file) =>
        /pg_(try_)?advisory\w*lock/.test(readFileSync(file, "utf8")),
      ),
    );
    expect(found.map((file) => file.slice(root.length + 1)).sort()).toEqual([
      "scripts/dev/migrate/apply.ts",
      "scripts/dev/migrate/engine-adapter.ts",
    ]);
  });
});

function filesOf(place: string): string[] {
  if (/\.\w+$/.test(place)) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function day(text: string): Parameters<typeof recordDeposit>[1]["depositedOn"] {
  requireDay(text);
  return text;
}
