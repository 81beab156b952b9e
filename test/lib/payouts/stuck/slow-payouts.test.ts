import { expect, it } from "vitest";
import type { PayoutSeed } from "../../../support/payout-world.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { useWorld } from "../world.ts";

const world = useWorld();
const OPERATORS = "payouts@example.com";

const stuck = (options: Partial<Parameters<typeof runStuck>[0]> = {}) =>
  runStuck({
    database: world.database,
    sandbox: world.sandbox,
    operators: OPERATORS,
    ...options,
  });

interface Mail extends Record<string, unknown> {
  recipient: string;
  userId: string | null;
  template: string;
  named: { payoutId: string; days: number; said: string }[];
  data: unknown;
}

const mails = (): Promise<Mail[]> =>
  world.database.query<Mail>(
    `SELECT recipient, user_id AS "userId", template, data -> 'payouts' AS named, data
     FROM outbox_mails ORDER BY created_at, key`,
  );

/** Payouts that the provider is at work on, or that nobody knows of, so many hours old. */
async function inProcessing(hours: number, payouts: readonly PayoutSeed[] = [{}]): Promise<void> {
  world.sandbox.addFaults({ on: "POST /payouts", endState: "processing", times: -1 });
  await world.payout({ payouts });
  await world.run();
  world.sandbox.clearFaults();
  await age(hours);
}

const age = (hours: number): Promise<unknown> =>
  world.database.query(
    `UPDATE payout_attempts SET created_at = created_at - interval '${hours} hours'`,
  );

it("tells the operators once a day of payouts that have been in processing for three days", async () => {
  await inProcessing(73);
  const [payout] = await world.database.query<{ id: string }>("SELECT id FROM payouts");

  expect((await stuck()).report).toMatchObject({ inFlight: { count: 1 }, slow: 1, told: 1 });
  expect((await stuck()).report).toMatchObject({ slow: 1, told: 0 });
  expect(await mails()).toMatchObject([
    {
      recipient: OPERATORS,
      userId: null,
      template: "payouts-in-processing",
      named: [
        {
          payoutId: payout?.id,
          days: 3,
          said: expect.stringMatching(/^the provider has it as processing/) as string,
        },
      ],
    },
  ]);

  // The day after, the mail of today is one of yesterday.
  await world.database.query(`
    SET session_replication_role = replica;
    UPDATE outbox_mails SET key = replace(key, india_today()::text, (india_today() - 1)::text);
    SET session_replication_role = DEFAULT`);
  expect((await stuck()).report).toMatchObject({ slow: 1, told: 1 });
  expect(await mails()).toHaveLength(2);
});

it("names in a second mail of the day only what the first did not", async () => {
  await inProcessing(80);
  await stuck();
  await inProcessing(0);
  expect((await stuck()).report).toMatchObject({ slow: 1, told: 0 });
  await age(80);
  expect((await stuck()).report).toMatchObject({ slow: 2, told: 1 });
  const [first, second] = await mails();
  expect(second?.named).toHaveLength(1);
  expect(second?.named[0]?.payoutId).not.toBe(first?.named[0]?.payoutId);
});

it("is written by one of two runs at the same moment", async () => {
  await inProcessing(80);
  const runs = await Promise.all([stuck(), stuck()]);
  expect(await mails()).toHaveLength(1);
  expect(runs.reduce((sum, { report }) => sum + report.told, 0)).toBe(1);
});

it("is not written for younger ones, without an address, or by a dry run", async () => {
  await inProcessing(71);
  expect((await stuck()).report).toMatchObject({ slow: 0, told: 0 });
  await age(2);
  expect((await stuck({ dryRun: true })).report).toMatchObject({ slow: 1, told: 0 });
  const { sandbox, database } = world;
  expect((await runStuck({ sandbox, database })).report).toMatchObject({ slow: 1, told: 0 });
  expect(await mails()).toEqual([]);
});

it("is written also when nobody can say what became of it, and the run is red", async () => {
  world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
  await world.payout();
  await world.run();
  await age(80);
  world.sandbox.addFaults({ on: "GET /payouts", status: 503, times: -1 });
  const { verdict, report } = await stuck();
  expect(verdict).toMatchObject({ kind: "failed", code: "stuck-too-long" });
  expect(report).toMatchObject({ slow: 1, told: 1 });
});
