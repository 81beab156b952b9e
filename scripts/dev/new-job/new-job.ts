import { istTime } from "../../../lib/support/calendar.ts";
import { nextTick } from "../../../lib/support/cron.ts";

/** The name of a job that is to be made, in each spelling that its files need. */
export interface NewJob {
  /** `ops/example` */
  name: string;
  /** `ops` */
  domain: string;
  /** `example` */
  task: string;
  /** `ops-example`: its workflow */
  slug: string;
  /** `Example` */
  pascal: string;
  /** `opsExample` */
  camel: string;
}

/** A job begins with a run a day, at a quiet time; its author changes it. GitHub is less busy on an odd minute. */
export const FIRST_CRON = "47 19 * * *";
export const FIRST_DEADLINE_MINUTES = 10;
export const FIRST_LOCK_MINUTES = 15;

/** Undefined where the name is none that a job may have. */
export function newJob(name: string): NewJob | undefined {
  if (!/^[a-z]+(?:-[a-z]+)*\/[a-z]+(?:-[a-z]+)*$/.test(name)) return undefined;
  const [domain = "", task = ""] = name.split("/");
  const pascal = pascalOf(task);
  const all = pascalOf(`${domain}-${task}`);
  return {
    name,
    domain,
    task,
    slug: `${domain}-${task}`,
    pascal,
    camel: all.charAt(0).toLowerCase() + all.slice(1),
  };
}

function pascalOf(words: string): string {
  return words
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** When the first run is due in India: `01:17`. */
export function firstTimeInIndia(): string {
  return istTime(nextTick(FIRST_CRON, new Date("2026-01-01T00:00:00Z")));
}
