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
  allowed: { least: number; most: number };
}

const MOST_DAYS = 3650;

const LIMITS = {
  runsDays: {
    name: "RETENTION_RUNS_DAYS",
    required: false,
    default: "400",
    description: "time that the record of a run is kept",
    unit: "days",
    // The watchdog looks back over one tick of a monthly job.
    allowed: { least: 35, most: MOST_DAYS },
  },
  mailsDays: {
    name: "RETENTION_MAILS_DAYS",
    required: false,
    default: "90",
    description: "time that a mail is kept after it was sent or lapsed",
    unit: "days",
    allowed: { least: 1, most: MOST_DAYS },
  },
  findingsDays: {
    name: "RETENTION_FINDINGS_DAYS",
    required: false,
    default: "400",
    description: "time that a resolved finding is kept after it was last seen",
    unit: "days",
    allowed: { least: 1, most: MOST_DAYS },
  },
} satisfies Record<keyof RetentionSettings, Limit>;

export const retentionEnvironment: EnvironmentSpec<RetentionSettings> = {
  variables: Object.values(LIMITS),
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const days = ({ name, default: fallback, allowed: { least, most } }: Limit): number => {
      const text = present(env, name) ?? fallback;
      const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
      if (value < least || value > most) {
        const problem = `expected a whole number of days from ${least} to ${most}`;
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
