import { InvalidArgumentError } from "commander";
import type { Duration } from "date-fns";
import { isValid } from "date-fns/isValid";
import { milliseconds } from "date-fns/milliseconds";
import { parseISO } from "date-fns/parseISO";
import type { Until } from "../../../lib/ops/maintenance.ts";

const UNITS: Readonly<Record<string, keyof Duration>> = { m: "minutes", h: "hours", d: "days" };
const LONGEST_MS = milliseconds({ days: 30 });
/** With its zone: a time without one would mean another hour on another machine. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/;

/** A time to come, or a duration. @throws {InvalidArgumentError} */
export function until(text: string): Until {
  const [, count, letter = ""] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const unit = UNITS[letter];
  const afterMs = unit === undefined ? 0 : milliseconds({ [unit]: Number(count) });
  if (afterMs > 0 && afterMs <= LONGEST_MS) return { afterMs };
  const at = parseISO(text);
  if (INSTANT.test(text) && isValid(at)) return { at };
  throw new InvalidArgumentError(
    "expected a time with its zone, such as 2026-11-25T18:00+05:30, or a duration up to 30d, such as 2h.",
  );
}
