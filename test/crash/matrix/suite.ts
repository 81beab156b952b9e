import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { approveBatch, createBatch } from "./cycle.ts";
import { playWorld, type Stop, type Templates, type WorldRun } from "./matrix.ts";
import { PAYEES } from "./payees.ts";
import type { Side } from "./process.ts";
import { seedWorld } from "./seed.ts";
import { STEPS } from "./steps.ts";

/**
 * Set to `all`, each step is stopped at every time that it is met, instead of once. Set to `even` or `odd`,
 * only every second step is stopped on one side, and the others on the other side.
 */
const PART = readPart(process.env["CRASH_MATRIX"]);
const ALL_OCCURRENCES = PART === "all";

/** A world takes some seconds; one that is played for each occurrence of a step, some minutes. */
const TIMEOUT_MS = ALL_OCCURRENCES ? 3_600_000 : 120_000;

/**
 * One half of the matrix: for each step a world whose process is stopped dead at it, on one side of its
 * effect, and whose jobs are then run again until they have nothing more to do.
 */
export function describeMatrix(side: Side): void {
  describe(
    `the cycle, stopped dead ${side} each step and run again`,
    { timeout: TIMEOUT_MS },
    () => {
      let seeded: TestDatabase;
      let approved: TestDatabase;
      let templates: Templates;
      let unstopped: WorldRun;

      beforeAll(async () => {
        seeded = await createTestDatabase();
        await seedWorld(seeded);
        approved = await createTestDatabase({ template: seeded.name });
        await createBatch({ database: approved });
        await approveBatch({ database: approved });
        templates = { seeded: seeded.name, approved: approved.name };
        unstopped = await playWorld(templates);
      }, TIMEOUT_MS);
      afterAll(async () => {
        await approved.drop();
        await seeded.drop();
      });

      it("has a name for every step", () => {
        const steps = stepsOf(side);
        const combinations = steps.flatMap((step) => stopsAt(step, { side, unstopped })).length;
        process.stdout.write(
          `crash matrix: ${steps.length} of ${STEPS.length} steps are stopped ${side} the effect, ` +
            `${combinations} times` +
            `${PART === undefined ? "" : `; this part again: CRASH_MATRIX=${PART}`}\n`,
        );
        expect([...unstopped.steps.keys()].toSorted()).toEqual(STEPS.toSorted());
      });

      it("plays a world of thirty payouts and more, with all their fates", () => {
        expect(PAYEES.length).toBeGreaterThanOrEqual(30);
        expect(unstopped.end["payouts"]?.length).toBeGreaterThanOrEqual(30);
        const text = unstopped.end["payouts"]?.join("\n");
        for (const status of ["COMPLETED", "FAILED", "REVERSED"]) expect(text).toContain(status);
        expect(text).not.toMatch(/PENDING|APPROVED|PROCESSING/);
      });

      it.each(stepsOf(side))("%s", async (step) => {
        const stops = stopsAt(step, { side, unstopped });
        expect(stops).not.toEqual([]);
        for (const stop of stops) expectSameEnd(await playWorld(templates, stop), unstopped, stop);
      });
    },
  );
}

type Part = "all" | "even" | "odd";

/** @throws {Error} for a value that is no part: a misspelt one must not leave steps out */
function readPart(value: string | undefined): Part | undefined {
  if (value === undefined || value === "") return undefined;
  if (value === "all" || value === "even" || value === "odd") return value;
  throw new Error(`CRASH_MATRIX is ${value}; expected all, even, odd, or nothing`);
}

/** The steps of this part that are stopped on this side. */
function stepsOf(side: Side): readonly string[] {
  if (PART === undefined || PART === "all") return STEPS;
  const isFirst = (PART === "even") === (side === "before");
  return STEPS.filter((_, index) => index % 2 === (isFirst ? 0 : 1));
}

/** In the middle of the times that the step is met: others are done, others are in hand. */
function stopsAt(step: string, { side, unstopped }: { side: Side; unstopped: WorldRun }): Stop[] {
  const count = unstopped.steps.get(step) ?? 0;
  if (!ALL_OCCURRENCES)
    return count === 0 ? [] : [{ step, side, occurrence: Math.ceil(count / 2) }];
  return Array.from({ length: count }, (_, index) => ({ step, side, occurrence: index + 1 }));
}

function expectSameEnd(stopped: WorldRun, unstopped: WorldRun, stop: Stop): void {
  const where = `stopped ${stop.side} ${stop.step}, time ${stop.occurrence}`;
  expect(stopped.end, where).toEqual(unstopped.end);
  expect(unaccountedAttempts(stopped, unstopped), where).toEqual([]);
}

/**
 * An attempt more than in the unstopped world is right only where the stopped run had committed it and could
 * not send it any more: one of that very run, and one for a payout.
 */
function unaccountedAttempts(stopped: WorldRun, unstopped: WorldRun): string[] {
  const payouts = new Set([...stopped.neverAccepted.keys(), ...unstopped.neverAccepted.keys()]);
  return [...payouts].filter((payout) => {
    const runs = stopped.neverAccepted.get(payout) ?? [];
    const more = runs.length - (unstopped.neverAccepted.get(payout)?.length ?? 0);
    const isOfStoppedRun = runs.includes(stopped.stoppedRun ?? "");
    return !(more === 0 || (more === 1 && isOfStoppedRun));
  });
}
