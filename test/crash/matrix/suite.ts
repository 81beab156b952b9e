import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { approveBatch, createBatch } from "./cycle.ts";
import { playWorld, type Stop, type Templates, type WorldRun } from "./matrix.ts";
import { PAYEES } from "./payees.ts";
import type { Side } from "./process.ts";
import { seedWorld } from "./seed.ts";
import { STEPS } from "./steps.ts";

/**
 * Which steps are stopped. Nothing: every step, once. `all`: every step at every time that it is met. `2/4`: the
 * second quarter of the steps. `3@17`: three steps on each side, chosen by the number 17.
 */
const CHOICE = process.env["CRASH_MATRIX"] ?? "";
const ALL_OCCURRENCES = CHOICE === "all";

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
            `${CHOICE === "" ? "" : `; the same again: CRASH_MATRIX=${CHOICE}`}\n`,
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

/**
 * The steps that are stopped on this side.
 *
 * @throws {Error} for a choice that is none: a misspelt one must not leave steps out
 */
function stepsOf(side: Side): readonly string[] {
  if (CHOICE === "" || ALL_OCCURRENCES) return STEPS;
  const [, part, parts] = (/^([0-9]+)\/([0-9]+)$/.exec(CHOICE) ?? []).map(Number);
  if (part !== undefined && parts !== undefined && part >= 1 && part <= parts) {
    return STEPS.filter((_, index) => index % parts === part - 1);
  }
  const [, count, number] = (/^([0-9]+)@([0-9]{1,9})$/.exec(CHOICE) ?? []).map(Number);
  if (count === undefined || number === undefined || count < 1) {
    throw new Error(`CRASH_MATRIX is ${CHOICE}; expected all, 2/4, 3@17, or nothing`);
  }
  const distance = Math.floor(STEPS.length / count);
  const first = number + (side === "before" ? 0 : Math.floor(distance / 2));
  const chosen = Array.from({ length: count }, (_, n) => (first + n * distance) % STEPS.length);
  return STEPS.filter((_, index) => chosen.includes(index));
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
