import pg from "pg";
import type { TestDatabase } from "../support/database.ts";

/** A number from 0 (included) to 1 (excluded), always the same ones for the same seed. */
export type Dice = () => number;

/** Mulberry32: small, and random enough to choose moments with. */
export function generator(seed: number): Dice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What can be seen of a run from outside. Those of the database are seen as soon as they commit. */
const STEPS = [
  "provider answered",
  "payout claimed",
  "attempt committed",
  "answer recorded",
] as const;
export type Step = (typeof STEPS)[number];

/** When a step has been seen so many times. */
export interface Moment {
  step: Step;
  count: number;
}

/** A transaction announces a step once for all of its rows, and has up to a hundred. */
const MOST_STEPS = 7;

export function chooseMoment(dice: Dice): Moment {
  const step = STEPS[Math.floor(dice() * STEPS.length)] ?? "provider answered";
  return { step, count: 1 + Math.floor(dice() * MOST_STEPS) };
}

/** Counts the steps of runs on this database, and calls back at a chosen moment. */
export async function watchSteps(database: TestDatabase): Promise<{
  /** Told of a step that is not the database's. */
  saw: (step: Step) => void;
  /** Calls back once, after so many of these steps from now on. */
  when: (moment: Moment, callBack: () => void) => void;
  close: () => Promise<void>;
}> {
  let awaited: { step: Step; left: number; callBack: () => void } | undefined;
  const saw = (step: Step): void => {
    if (awaited?.step !== step || --awaited.left > 0) return;
    const { callBack } = awaited;
    awaited = undefined;
    callBack();
  };

  for (const statement of ANNOUNCEMENTS) await database.query(statement);
  const listener = new pg.Client({ connectionString: database.url, application_name: "watch" });
  listener.on("notification", ({ payload }) => {
    const step = STEPS.find((candidate) => candidate === payload);
    if (step !== undefined) saw(step);
  });
  await listener.connect();
  await listener.query("LISTEN steps");
  return {
    saw,
    when: ({ step, count }, callBack) => {
      awaited = { step, left: count, callBack };
    },
    close: () => listener.end(),
  };
}

const ANNOUNCEMENTS = [
  `CREATE FUNCTION announce_step() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN PERFORM pg_notify('steps', TG_ARGV[0]); RETURN NULL; END $$`,
  `CREATE TRIGGER announce_claim AFTER UPDATE OF claimed_by ON payouts
   FOR EACH ROW WHEN (NEW.status = 'PROCESSING') EXECUTE FUNCTION announce_step('payout claimed')`,
  `CREATE TRIGGER announce_attempt AFTER INSERT ON payout_attempts
   FOR EACH ROW EXECUTE FUNCTION announce_step('attempt committed')`,
  `CREATE TRIGGER announce_answer AFTER UPDATE OF state ON payout_attempts
   FOR EACH ROW EXECUTE FUNCTION announce_step('answer recorded')`,
];
