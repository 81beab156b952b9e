import { combineEnvironments } from "../../support/environment.ts";
import { environmentOf, wholeNumber } from "../../support/settings.ts";
import { taxEnvironment, type TaxSettings } from "../../tds/settings.ts";

/** The watchdog's settings for tax to be deposited. */
export interface TaxWatchSettings extends TaxSettings {
  /** So many days before the day of deposit it warns. Zero: it says nothing of tax at all. */
  depositWarningDays: number;
}

export const taxWatchEnvironment = combineEnvironments(
  taxEnvironment,
  environmentOf<Pick<TaxWatchSettings, "depositWarningDays">>({
    depositWarningDays: wholeNumber({
      name: "TDS_DEPOSIT_WARNING_DAYS",
      default: 5,
      description:
        "how long before the day of deposit the watchdog warns of tax that is not deposited; 0: it says nothing of tax, also when it is overdue",
      unit: "days",
      least: 0,
      most: 30,
    }),
  }),
);
