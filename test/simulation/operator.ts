import { refundEarning } from "../../lib/earnings/index.ts";
import {
  approvePayout,
  placeHold,
  rejectPayout,
  releaseHold,
  retryPayout,
} from "../../lib/payouts/operate/index.ts";
import { readUncovered } from "../../lib/payouts/state/approval-covers.ts";
import type { Db } from "../../lib/db/client.ts";
import { databaseOf } from "./ports.ts";
import type { SimulatedProcess } from "./process.ts";
import { payoutName, type World } from "./world.ts";

const OPERATOR = { by: "Asha", reason: "simulation" };

const COMMANDS = { approve: 5, reject: 1, retry: 3, hold: 1, release: 1, refund: 1, account: 1 };
type Command = keyof typeof COMMANDS;

/** One to three commands of a person. A refusal is as good an end as any. */
export async function operate(world: World, operator: SimulatedProcess): Promise<void> {
  const { arena, chance } = world;
  const db = databaseOf(world, operator, arena.sessions[operator.slot]);
  for (let left = chance.between(1, 3); left > 0; left--) {
    const command = chance.weighted(COMMANDS);
    try {
      world.story.push(`  operator: ${await perform(world, { operator, db }, command)}`);
    } catch {
      world.story.push(`  operator: ${command}: the database did not take it`);
    }
  }
}

/** Approves everything that waits for a person, and rejects what pays for refunded sales. */
export async function approveAll(world: World, db: Db): Promise<void> {
  for (const payoutId of await payoutIds(world, ["PENDING"])) {
    const uncovered = (await readUncovered(db, [payoutId])).get(payoutId);
    const decide = uncovered?.codes.includes("EARNINGS_REFUNDED") ? rejectPayout : approvePayout;
    await decide(db, { payoutId, operator: OPERATOR });
  }
}

/** Releases every hold. */
export async function releaseAll(world: World, db: Db): Promise<void> {
  for (const { id } of world.people) {
    await releaseHold(db, { consultant: id, kind: undefined, operator: OPERATOR });
  }
}

interface Console {
  operator: SimulatedProcess;
  db: Db;
}

async function perform(
  world: World,
  { operator: person, db }: Console,
  command: Command,
): Promise<string> {
  const { chance, people, scheduler } = world;
  const operator = OPERATOR;
  if (command === "hold" || command === "release") {
    const consultant = chance.pick(people);
    const { done } =
      command === "hold"
        ? await placeHold(db, { consultant: consultant.id, kind: "manual", operator })
        : await releaseHold(db, { consultant: consultant.id, kind: undefined, operator });
    return `${command} ${consultant.name}: ${done}`;
  }
  if (command === "refund") return refund(world, { operator: person, db });
  if (command === "account") return replaceAccount(world, person);
  // What a person looks at first is a turn as well.
  const payouts = await scheduler.turn(person, () => payoutIds(world, STATUSES[command]));
  if (payouts.length === 0) return `nothing to ${command}`;
  const payoutId = chance.pick(payouts);
  const name = await scheduler.turn(person, () => payoutName(world, payoutId));
  const change = { approve: approvePayout, reject: rejectPayout, retry: retryPayout }[command];
  const result = await change(db, { payoutId, operator });
  return `${command} ${name}: ${result.done ? "done" : result.refusals.map(({ code }) => code).join(" ")}`;
}

/** Mostly what fits the command, now and then what does not. */
const STATUSES = {
  approve: ["PENDING", "PROCESSING"],
  reject: ["PENDING", "APPROVED", "PROCESSING"],
  retry: ["FAILED", "PROCESSING", "REVERSED"],
} as const;

/** As an import with --update-accounts leaves it: another account is active, of the same kind. */
export async function replaceAccount(
  { arena, chance, people, scheduler }: World,
  operator: SimulatedProcess,
): Promise<string> {
  const { id, name, accountId, hasVpa } = chance.pick(people);
  if (accountId === undefined) return `account of ${name}: has none`;
  const number = `99${chance.between(10_000_000, 99_999_999)}`;
  const details = hasVpa
    ? `'vpa', NULL, NULL, 'payee${number}@examplebank'`
    : `'bank_account', 'HDFC0001220', '${number}', NULL`;
  await scheduler.turn(operator, () =>
    arena.database.query(`
      BEGIN;
      UPDATE payout_accounts SET active = false WHERE consultant_id = '${id}' AND active;
      INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number, vpa) VALUES ('${id}', ${details});
      COMMIT`),
  );
  return `account of ${name}: another one`;
}

async function refund(
  { arena, chance, scheduler }: World,
  { operator, db }: Console,
): Promise<string> {
  const earnings = await scheduler.turn(operator, () =>
    arena.database.query<{ id: string; reference: string; amountPaise: bigint }>(
      `SELECT id, booking_reference AS reference, amount_paise AS "amountPaise" FROM earnings
       ORDER BY booking_reference`,
    ),
  );
  const { id, reference, amountPaise } = chance.pick(earnings);
  const paise = chance.happens(0.3) ? amountPaise : BigInt(chance.between(1, Number(amountPaise)));
  const key = `refund ${chance.uuid()}`;
  const { kind } = await refundEarning(db, {
    earningId: id,
    key,
    grossPaise: paise,
    amountPaise: paise,
  });
  return `refund of ${reference}: ${kind}`;
}

async function payoutIds({ arena }: World, statuses: readonly string[]): Promise<string[]> {
  const rows = await arena.database.query<{ id: string }>(
    `SELECT payout.id FROM payouts AS payout JOIN consultants AS owner ON owner.id = payout.consultant_id
     WHERE payout.status::text = ANY($1) ORDER BY owner.external_ref, payout.created_at, payout.id`,
    [statuses],
  );
  return rows.map(({ id }) => id);
}
