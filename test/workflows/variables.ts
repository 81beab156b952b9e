import { jobs } from "../../jobs/registry.ts";
import { harnessVariables } from "../../lib/job/environment.ts";

/** Variables that decide where secrets go, by the jobs' own declarations. */
export function noRepositoryVariables(): ReadonlySet<string> {
  const all = [...harnessVariables, ...jobs.flatMap(({ environment }) => environment.variables)];
  return new Set(
    all.filter(({ noRepositoryVariable }) => noRepositoryVariable).map(({ name }) => name),
  );
}
