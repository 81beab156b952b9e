import { InvalidArgumentError } from "commander";
import { isDay, type Day } from "../../../lib/support/calendar.ts";
import { parseRupees, type Paise } from "../../../lib/support/money.ts";
import { parseCertificateNumber, parseRate } from "../../../lib/tds/papers/index.ts";
import { parseQuarter, type Quarter } from "../../../lib/tax-returns/index.ts";
import { taxEnvironment, type TaxSettings } from "../../../lib/tds/settings.ts";
import type { Env } from "../../../lib/support/environment.ts";
import { UsageError } from "../frame/arguments.ts";
import type { Format } from "./print-register.ts";

/** The settings by which a payout run would assess. @throws {UsageError} */
export function taxSettingsOf(env: Env): TaxSettings {
  const parsed = taxEnvironment.parse(env);
  if (parsed.ok) return parsed.settings;
  const wrong = parsed.problems.map(({ variable, problem }) => `${variable}: ${problem}`);
  throw new UsageError(`${wrong.join("; ")}. Nothing was done.`);
}

export function quarter(text: string): Quarter {
  const found = parseQuarter(text);
  if (found) return found;
  throw new InvalidArgumentError("expected a quarter of a tax year, such as 2026Q2.");
}

export function day(text: string): Day {
  if (isDay(text)) return text;
  throw new InvalidArgumentError("expected a day, such as 2026-08-05.");
}

export function amount(text: string): Paise {
  const paise = parseRupees(text);
  if (paise !== undefined && paise > 0n) return paise;
  throw new InvalidArgumentError("expected rupees above zero, such as 1234.00, without grouping.");
}

/** Ten or fifteen letters and digits, as on the certificate. */
export function certificateNumber(text: string): string {
  const number = parseCertificateNumber(text);
  if (number !== undefined) return number;
  throw new InvalidArgumentError("expected the 10 letters and digits of the certificate.");
}

/** Per cent to basis points. */
export function rate(text: string): number {
  const rateBps = parseRate(text);
  if (rateBps !== undefined) return rateBps;
  throw new InvalidArgumentError(
    "expected a rate in per cent with at most two decimals, such as 0.05; 0 for none.",
  );
}

export function format(text: string): Format {
  if (text === "csv" || text === "table") return text;
  throw new InvalidArgumentError("expected csv or table.");
}
