import { fileURLToPath } from "node:url";
import { jobs } from "../../../../jobs/registry.ts";
import { job as watchdog } from "../../../../jobs/ops/watchdog.ts";
import type { AnyJob } from "../../../../lib/job/index.ts";
import type { Env } from "../../../../lib/support/environment.ts";
import { checkDatabase } from "./database.ts";
import { checkEnvironment } from "./environment.ts";
import { notChecked, type CheckFinding } from "./finding.ts";
import { checkMailServer } from "./mail.ts";
import { checkProvider } from "./provider.ts";
import { checkRedis } from "./redis.ts";
import { checkWorkflows } from "./workflows.ts";

const WORKFLOWS = fileURLToPath(new URL("../../../../.github/workflows", import.meta.url));

/** Everything that a run of these jobs needs, or of all where none is named. Changes nothing anywhere. */
export async function checkJobs({
  named,
  offline,
  env,
}: {
  named: readonly AnyJob[];
  offline: boolean;
  env: Env;
}): Promise<CheckFinding[]> {
  const chosen = named.length > 0 ? named : jobs;
  const workflows = checkWorkflows({ folder: WORKFLOWS, all: jobs, chosen });
  if (offline) {
    const ofDatabase = ["database", "connection", "role", "clocks", "runs"];
    const parts = ["environment", ...ofDatabase, "redis", "provider", "mail server"];
    return [...workflows, ...parts.map((part) => notChecked(part, "--offline"))];
  }
  return [
    ...workflows,
    ...checkEnvironment(env, { chosen, isNamed: named.length > 0 }),
    ...(await checkDatabase(env, { jobs: chosen, watchdog: watchdog.name })),
    await checkRedis(env),
    ...(await checkProvider(env)),
    ...(await checkMailServer(env, chosen)),
  ];
}
