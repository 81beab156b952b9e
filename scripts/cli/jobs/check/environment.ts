import type { AnyJob } from "../../../../lib/job/index.ts";
import { parseHarnessEnvironment } from "../../../../lib/job/environment.ts";
import { present, type Env } from "../../../../lib/support/environment.ts";
import { notChecked, ok, sentence, wrong, type CheckFinding } from "./finding.ts";

/**
 * Each job's variables, as its run would read them. Without DATABASE_URL no job runs here, so that nothing is
 * wrong with the rest unless somebody asks for a job by name.
 */
export function checkEnvironment(
  env: Env,
  { chosen, isNamed }: { chosen: readonly AnyJob[]; isNamed: boolean },
): CheckFinding[] {
  if (!isNamed && present(env, "DATABASE_URL") === undefined) {
    return [
      notChecked("environment", "DATABASE_URL is not set; name jobs to check their variables"),
    ];
  }
  return chosen.map((job) => {
    const part = `environment of ${job.name}`;
    const parsed = [parseHarnessEnvironment(env, job.name), job.environment.parse(env)];
    const problems = parsed.flatMap((each) => (each.ok ? [] : each.problems));
    return problems.length === 0 ? ok(part, "complete") : wrong(part, sentence(problems));
  });
}
