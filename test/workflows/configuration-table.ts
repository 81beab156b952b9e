import { jobs } from "../../jobs/registry.ts";
import { harnessVariables } from "../../lib/job/environment.ts";

/** What each job must have and may have, as docs/github-actions.md shows it: a row for each job. */
export function configurationTable(): string[][] {
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(" ");
  return jobs.map(({ name, environment }) => {
    const all = [...harnessVariables, ...environment.variables];
    const required = (isSecret: boolean): string[] =>
      all
        .filter(({ required, secret }) => required && (secret === true) === isSecret)
        .map(({ name }) => name);
    const optional = environment.variables.filter(({ required }) => !required);
    return [name, list(required(true)), list(required(false)), list(optional.map((v) => v.name))];
  });
}
