import { Cron } from "croner";
import { addSeconds } from "date-fns/addSeconds";
import { startOfSecond } from "date-fns/startOfSecond";

/**
 * Schedules in the five fields that GitHub Actions reads, always in UTC. Day of month and day of week are
 * alternatives where both are given, as POSIX has it. Nothing here starts a timer.
 */

/** The first tick after an instant. @throws {RangeError} when there is none */
export function nextTick(cron: string, after: Date): Date {
  return some(open(cron).nextRun(after), cron);
}

/** The last tick at or before an instant. @throws {RangeError} when there is none */
export function lastTick(cron: string, atOrBefore: Date): Date {
  // The library gives the ticks before an instant, by whole seconds: those before the second after this one.
  const [tick] = open(cron).previousRuns(1, addSeconds(startOfSecond(atOrBefore), 1));
  return some(tick, cron);
}

/** Milliseconds between the last tick at or before an instant and the one after it. */
export function intervalMs(cron: string, at: Date): number {
  return nextTick(cron, at).getTime() - lastTick(cron, at).getTime();
}

function open(cron: string): Cron {
  return new Cron(cron, { timezone: "UTC", mode: "5-part", paused: true });
}

function some(tick: Date | null | undefined, cron: string): Date {
  if (!tick) throw new RangeError(`the schedule ${cron} has no such tick`);
  return tick;
}
