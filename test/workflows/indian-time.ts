const INDIA_AHEAD_MINUTES = 5 * 60 + 30;
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * When a cron in UTC first ticks in India, as the comment beside it has to say: `21:07`, or `:39` when it
 * ticks every hour, and the day if it has one. Knows the crons of our jobs: single values, lists, `*` and
 * a step for hours.
 *
 * @throws {RangeError} on any other
 */
export function indianTimeOf(cron: string): { minutesUtc: number[]; says: string[] } {
  const [minute = "", hour = "", dayOfMonth, month, dayOfWeek = ""] = cron.split(" ");
  const unknown = (): never => {
    throw new RangeError(`not a cron that these tests know: ${cron}`);
  };
  if (!/^\d+(,\d+)*$/.test(minute) || dayOfMonth !== "*" || month !== "*") return unknown();
  const minutesUtc = minute.split(",").map(Number);
  const first = minutesUtc[0] ?? unknown();
  const two = (number: number): string => String(number).padStart(2, "0");
  if (hour === "*") return { minutesUtc, says: [`:${two((first + INDIA_AHEAD_MINUTES) % 60)}`] };

  const firstHour = hour.startsWith("*/") ? 0 : Number(hour.split(",")[0]);
  if (!/^(\*\/\d+|\d+(,\d+)*)$/.test(hour)) return unknown();
  const inIndia = firstHour * 60 + first + INDIA_AHEAD_MINUTES;
  const says = [`${two(Math.floor(inIndia / 60) % 24)}:${two(inIndia % 60)}`];
  if (dayOfWeek === "*") return { minutesUtc, says };
  if (!/^[0-6]$/.test(dayOfWeek)) return unknown();
  const day = DAYS[(Number(dayOfWeek) + (inIndia >= 24 * 60 ? 1 : 0)) % 7] ?? unknown();
  return { minutesUtc, says: [...says, day] };
}
