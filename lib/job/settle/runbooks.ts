import { present, type Env } from "../../support/environment.ts";

/** A section of the runbooks, or of a job's page. */
export interface Runbook {
  title: string;
  /** In the repository: `docs/runbooks.md#a-refund-failed`. */
  path: string;
  /** The same at the commit that ran, where GitHub Actions names it; else undefined. */
  url: string | undefined;
}

/** Sections of docs/runbooks.md by the reasons of red runs, whichever job gives them. */
export const RUNBOOK_SECTIONS: Readonly<Record<string, string>> = {
  "payouts-failed": "payouts-failed",
  "outcome-unknown": "an-outcome-is-unknown",
  "answer-not-recorded": "an-outcome-is-unknown",
  "stuck-too-long": "an-outcome-is-unknown",
  "payouts-left": "work-is-left-behind",
  "rows-locked": "work-is-left-behind",
  "db-busy": "work-is-left-behind",
  "db-refuses-rows": "the-database-refuses-a-row",
  "not-recorded": "the-database-refuses-a-row",
  "final-state-not-recorded": "the-database-refuses-a-row",
  "refunds-left": "work-is-left-behind",
  "holds-failed": "work-is-left-behind",
  "changed-meanwhile": "work-is-left-behind",
  "work-left-behind": "work-is-left-behind",
  "consultants-refused": "consultants-are-refused",
  "cap-exceeded": "a-cap-is-exceeded",
  "insufficient-balance": "too-little-balance",
  credentials: "the-provider-does-not-let-us-in",
  "not-allow-listed": "the-provider-does-not-let-us-in",
  "wrong-address": "the-provider-does-not-let-us-in",
  "provider-refuses-all": "the-provider-refuses-everything",
  "account-refused": "the-provider-does-not-let-us-in",
  "account-not-listed": "the-provider-does-not-let-us-in",
  "gateway-unreachable": "the-provider-is-away",
  "gateway-down": "the-provider-is-away",
  "rate-limited": "the-provider-is-away",
  "records-differ": "a-finding-is-open",
  "books-drift": "a-finding-is-open",
  "refunds-failed": "a-refund-failed",
  "refunds-overdue": "a-refund-is-overdue",
  "authorized-too-long": "a-payment-is-authorized-and-not-captured",
  "provider-unanswered": "the-provider-says-nothing-certain-about-an-order",
  "late-payments-failed": "a-late-payment-could-not-be-settled",
  "plans-failed": "a-waitlist-run-is-red",
  "reminders-failed": "a-waitlist-run-is-red",
  "mail-given-up": "mail-was-given-up",
  "mail-not-taken": "no-mail-goes-out",
  "mail-server-unreachable": "no-mail-goes-out",
  "mail-server-busy": "no-mail-goes-out",
  "mail-tls-failed": "no-mail-goes-out",
  "mail-login-refused": "no-mail-goes-out",
  "mail-sender-refused": "no-mail-goes-out",
  "mail-template-missing": "no-mail-goes-out",
  "jobs-missed": "a-job-was-missed",
  "tax-overdue": "tax-is-overdue",
  "db-unreachable": "the-database-is-away",
  "db-not-migrated": "the-database-is-away",
  "db-read-only": "the-database-is-away",
  "db-full": "the-database-is-away",
  "db-permission-denied": "the-database-is-away",
  "lock-unavailable": "the-database-is-away",
  "maintenance-unknown": "the-database-is-away",
};

const RUNBOOKS = "docs/runbooks.md";
/** Reasons that say nothing of the job. */
const OF_ANY_JOB: ReadonlySet<string> = new Set([
  "unexpected-error",
  "misconfigured",
  "SIGINT",
  "SIGTERM",
  "deadline",
  "lease-lost",
]);

/**
 * Link to the runbook for this reason: in the runbooks, or on the job's own page. A green run has no reason and
 * links to its whole page.
 */
export function runbookFor({ job, reason }: { job: string; reason: string }, env: Env): Runbook {
  const section = OF_ANY_JOB.has(reason) ? "a-run-is-red" : RUNBOOK_SECTIONS[reason];
  const page = `docs/jobs/${job.split("/")[1] ?? job}.md`;
  const path =
    section !== undefined
      ? `${RUNBOOKS}#${section}`
      : reason === ""
        ? page
        : `${page}#when-it-is-red`;
  const title =
    section === undefined ? `the page of ${job}` : `runbook: ${section.replaceAll("-", " ")}`;
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
