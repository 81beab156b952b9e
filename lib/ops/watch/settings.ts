import { combineEnvironments, present, type EnvironmentSpec } from "../../support/environment.ts";
import { taxEnvironment, type TaxSettings } from "../../tds/settings.ts";

/** The watchdog's settings for tax to be deposited. */
export interface TaxWatchSettings extends TaxSettings {
  /** So many days before the day of deposit it warns. Zero: it says nothing of tax at all. */
  depositWarningDays: number;
}

const VARIABLE = "TDS_DEPOSIT_WARNING_DAYS";
const MOST_DAYS = 30;

const warningEnvironment: EnvironmentSpec<Pick<TaxWatchSettings, "depositWarningDays">> = {
  variables: [
    {
      name: VARIABLE,
      required: false,
      default: "5",
      description:
        "how long before the day of deposit the watchdog warns of tax that is not deposited; 0: it says nothing of tax, also when it is overdue",
      unit: "days",
      allowed: { least: 0, most: MOST_DAYS },
    },
  ],
  parse(env) {
    const text = present(env, VARIABLE) ?? "5";
    const depositWarningDays = Number(text);
    if (/^[0-9]{1,2}$/.test(text) && depositWarningDays <= MOST_DAYS)
      return { ok: true, settings: { depositWarningDays }, secrets: [] };
    const problem = `expected a whole number from 0 to ${MOST_DAYS}`;
    return { ok: false, problems: [{ variable: VARIABLE, problem }] };
  },
};

export const taxWatchEnvironment: EnvironmentSpec<TaxWatchSettings> = combineEnvironments(
  taxEnvironment,
  warningEnvironment,
);
