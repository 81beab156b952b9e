import cronstrue from "cronstrue";

/** A schedule as a person says it, in UTC: `37 15 * * 1` is "At 15:37, only on Monday". */
export function cronInWords(cron: string): string {
  return cronstrue.toString(cron, { use24HourTimeFormat: true });
}
