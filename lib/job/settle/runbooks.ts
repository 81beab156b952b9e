import { present, type Env } from "../../support/environment.ts";
import type { AnyJob } from "../define-job.ts";

/** A section of the runbooks, or of a job's page. */
export interface Runbook {
  title: string;
  /** In the repository: `docs/runbooks.md#a-refund-failed`. */
  path: string;
  /** The same at the commit that ran, where GitHub Actions names it; else undefined. */
  url: string | undefined;
}

const DATABASE = "the-database-is-away";
const ANY_RUN = "a-run-is-red";

/** Sections of docs/runbooks.md by the harness's own reasons. A job declares those of its core: `runbooks`. */
export const HARNESS_RUNBOOKS: Readonly<Record<string, string>> = {
  "db-unreachable": DATABASE,
  "db-not-migrated": DATABASE,
  "db-read-only": DATABASE,
  "db-full": DATABASE,
  "db-permission-denied": DATABASE,
  "db-busy": "work-is-left-behind",
  "lock-unavailable": DATABASE,
  "maintenance-unknown": DATABASE,
  "unexpected-error": ANY_RUN,
  misconfigured: ANY_RUN,
  SIGINT: ANY_RUN,
  SIGTERM: ANY_RUN,
  deadline: ANY_RUN,
  "lease-lost": ANY_RUN,
};

/**
 * Link to the runbook for this reason: in the runbooks, or on the job's own page. A green run has no reason and
 * links to its whole page.
 */
export function runbookFor(
  { name, runbooks }: Pick<AnyJob, "name" | "runbooks">,
  reason: string,
  env: Env,
): Runbook {
  const section = HARNESS_RUNBOOKS[reason] ?? runbooks?.[reason];
  const page = `docs/jobs/${name.split("/")[1] ?? name}.md`;
  const path =
    section !== undefined
      ? `docs/runbooks.md#${section}`
      : reason === ""
        ? page
        : `${page}#when-it-is-red`;
  const title =
    section === undefined ? `the page of ${name}` : `runbook: ${section.replaceAll("-", " ")}`;
  return { title, path, url: urlOf(path, env) };
}

/** Links to the file at the commit that ran: later versions may describe other behaviour. */
function urlOf(path: string, env: Env): string | undefined {
  const server = present(env, "GITHUB_SERVER_URL") ?? "";
  const repository = present(env, "GITHUB_REPOSITORY") ?? "";
  const commit = present(env, "GITHUB_SHA") ?? "";
  const isKnown =
    /^https:\/\/[\w.-]+(:\d+)?$/.test(server) &&
    /^[\w.-]+\/[\w.-]+$/.test(repository) &&
    /^[0-9a-f]{40,64}$/.test(commit);
  return isKnown ? `${server}/${repository}/blob/${commit}/${path}` : undefined;
}
