import { environmentOf, wholeNumber } from "../../support/settings.ts";

/** Days after which a row may go. */
export interface RetentionSettings {
  runsDays: number;
  mailsDays: number;
  findingsDays: number;
}

const rule = { unit: "days", least: 1, most: 3650 };

export const retentionEnvironment = environmentOf<RetentionSettings>({
  runsDays: wholeNumber({
    ...rule,
    name: "RETENTION_RUNS_DAYS",
    default: 400,
    description: "time that the record of a run is kept",
    // The watchdog looks back over one tick of a monthly job.
    least: 35,
  }),
  mailsDays: wholeNumber({
    ...rule,
    name: "RETENTION_MAILS_DAYS",
    default: 90,
    description: "time that a mail is kept after it was sent or lapsed",
  }),
  findingsDays: wholeNumber({
    ...rule,
    name: "RETENTION_FINDINGS_DAYS",
    default: 400,
    description: "time that a resolved finding is kept after it was last seen",
  }),
});
