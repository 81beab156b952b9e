import {
  present,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";

/** Days after which a row may go. */
export interface RetentionSettings {
  runsDays: number;
  mailsDays: number;
  findingsDays: number;
}

interface Limit extends EnvironmentVariable {
  default: string;
  least: number;
}

const MOST_DAYS = 3650;

const LIMITS = {
  runsDays: {
    name: "RETENTION_RUNS_DAYS",
    required: false,
    default: "400",
    description: "days that the record of a run is kept, 35 to 3650",
    // The watchdog looks back over one tick of a monthly job.
    least: 35,
  },
  mailsDays: {
    name: "RETENTION_MAILS_DAYS",
    required: false,
    default: "90",
    description: "days that a mail is kept after it was sent or lapsed, 1 to 3650",
    least: 1,
  },
  findingsDays: {
    name: "RETENTION_FINDINGS_DAYS",
    required: false,
    default: "400",
    description: "days that a resolved finding is kept after it was last seen, 1 to 3650",
    least: 1,
  },
} satisfies Record<keyof RetentionSettings, Limit>;

export const retentionEnvironment: EnvironmentSpec<RetentionSettings> = {
  variables: Object.values(LIMITS).map(({ name, required, default: fallback, description }) => {
    return { name, required, default: fallback, description };
  }),
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const days = ({ name, default: fallback, least }: Limit): number => {
      const text = present(env, name) ?? fallback;
      const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
      if (value < least || value > MOST_DAYS) {
        const problem = `expected a whole number of days from ${least} to ${MOST_DAYS}`;
        problems.push({ variable: name, problem });
      }
      return value;
    };
    const settings = {
      runsDays: days(LIMITS.runsDays),
      mailsDays: days(LIMITS.mailsDays),
      findingsDays: days(LIMITS.findingsDays),
    };
    return problems.length > 0 ? { ok: false, problems } : { ok: true, settings, secrets: [] };
  },
};
