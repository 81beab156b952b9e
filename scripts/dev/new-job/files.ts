import {
  FIRST_CRON,
  FIRST_DEADLINE_MINUTES,
  FIRST_LOCK_MINUTES,
  firstTimeInIndia,
  type NewJob,
} from "./new-job.ts";
import { workflowText, type Pins } from "./workflow.ts";

/** A file that is to be made. */
export interface NewFile {
  path: string;
  text: string;
}

/** Every new file of a job. The facts on its page are written from its declaration, by `npm run docs:generate`. */
export function filesOf(job: NewJob, pins: Pins): NewFile[] {
  const { name, domain, task, slug } = job;
  return [
    { path: `jobs/${name}.ts`, text: declaration(job) },
    { path: `lib/${domain}/${task}/${task}.ts`, text: core(job) },
    { path: `test/lib/${domain}/${task}.test.ts`, text: test(job) },
    { path: `docs/jobs/${task}.md`, text: page(job) },
    { path: `.github/workflows/${slug}.yml`, text: workflowText(job, pins) },
  ];
}

function declaration({ name, domain, task, pascal }: NewJob): string {
  return `import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { minutes } from "../../lib/support/clock.ts";

export const job = defineJob({
  name: "${name}",
  summary: "Does nothing yet.",
  schedule: { cron: "${FIRST_CRON}" }, // daily, ${firstTimeInIndia()} in India
  movesMoney: false,
  lock: { failMode: "closed", ttlMs: minutes(${FIRST_LOCK_MINUTES}) },
  deadlineMs: minutes(${FIRST_DEADLINE_MINUTES}),
  pausedBy: "degraded",
  environment: { variables: [], parse: () => ({ ok: true, settings: {}, secrets: [] }) },
  run: async (context) => {
    const { run${pascal} } = await import("../../lib/${domain}/${task}/${task}.ts");
    return run${pascal}(context);
  },
  outputs: ({ handled }) => ({ handled }),
  summarise: ({ dryRun, handled }) => [
    {
      title: "Items",
      columns: [dryRun ? "Would be handled" : "Handled"],
      rows: [[String(handled)]],
    },
  ],
});

await runIfMain(import.meta, job);
`;
}

function core({ task, pascal }: NewJob): string {
  return `import type { CoreResult } from "../../support/verdict.ts";

export interface ${pascal}Ports {
  readonly dryRun: boolean;
  /** At most so many items. */
  readonly limit: number | undefined;
  readonly signal: AbortSignal;
}

export interface ${pascal}Report {
  dryRun: boolean;
  /** Items that were handled; in a dry run, that would be. */
  handled: number;
}

/** Handles each due item: see docs/jobs/${task}.md. */
export async function run${pascal}(ports: ${pascal}Ports): Promise<CoreResult<${pascal}Report>> {
  const report: ${pascal}Report = { dryRun: ports.dryRun, handled: 0 };
  const items = await findDue(ports);
  for (let next = 0; next < items.length; next++) {
    if (ports.signal.aborted) return { verdict: { kind: "interrupted" }, report };
    report.handled += 1;
  }
  return { verdict: { kind: "completed" }, report };
}

/** To be replaced by a query. */
function findDue({ limit }: ${pascal}Ports): Promise<readonly string[]> {
  const due: readonly string[] = ["the first item", "the second item"];
  return Promise.resolve(due.slice(0, limit));
}
`;
}

function test({ name, domain, task, pascal }: NewJob): string {
  return `import { describe, expect, it } from "vitest";
import { run${pascal} } from "../../../lib/${domain}/${task}/${task}.ts";

const ports = { dryRun: false, limit: undefined, signal: new AbortController().signal };

describe("${name}", () => {
  it("handles each due item", async () => {
    expect(await run${pascal}(ports)).toEqual({
      verdict: { kind: "completed" },
      report: { dryRun: false, handled: 2 },
    });
  });

  it("handles no more items than the limit", async () => {
    const { report } = await run${pascal}({ ...ports, limit: 1 });
    expect(report.handled).toBe(1);
  });

  it("starts no item once it is told to stop", async () => {
    expect(await run${pascal}({ ...ports, signal: AbortSignal.abort() })).toEqual({
      verdict: { kind: "interrupted" },
      report: { dryRun: false, handled: 0 },
    });
  });
});
`;
}

function page({ name }: NewJob): string {
  return `# ${name}

Does nothing yet. Daily at ${firstTimeInIndia()} in India; paused while a phase is degraded.

\`\`\`sh
npx tsx jobs/${name}.ts --dry-run
npx tsx jobs/${name}.ts
\`\`\`

## Outputs

\`handled\`, and those of every job.

## When it is red

The job has no reasons of its own, only those of [every job](../runbooks.md#a-run-is-red).

## What it may change

The job changes no data of the marketplace. Like every job it writes \`job_runs\` and \`job_leases\`.
`;
}
