import { InvalidArgumentError } from "commander";
import type { Until } from "../../../lib/ops/maintenance.ts";

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_MS = 30 * 86_400_000;
/** With its zone: a time without one would mean another hour on another machine. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/;

/** A time to come, or a duration. @throws {InvalidArgumentError} */
export function until(text: string): Until {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const afterMs = Number(count) * (UNITS_MS[unit ?? ""] ?? NaN);
  if (afterMs > 0 && afterMs <= LONGEST_MS) return { afterMs };
  const at = new Date(text);
  if (INSTANT.test(text) && !Number.isNaN(at.getTime())) return { at };
  throw new InvalidArgumentError(
    "expected a time with its zone, such as 2026-11-25T18:00+05:30, or a duration up to 30d, such as 2h.",
  );
}
