import { firstTimeInIndia, type NewJob } from "./new-job.ts";

/** The list of watched jobs, with the new one at its end. @throws {Error} where the list is not as expected */
export function withWatched(text: string, { name, camel }: NewJob): string {
  const imports = [...text.matchAll(/^import \{ job as \w+ \} from "\.\/.+";$/gm)];
  const last = imports.at(-1);
  const end = text.lastIndexOf("];");
  if (last === undefined || end < last.index)
    throw new Error("jobs/watched.ts has no list of jobs");
  const behind = last.index + last[0].length;
  return [
    text.slice(0, behind),
    `\nimport { job as ${camel} } from "./${name}.ts";`,
    text.slice(behind, end),
    `  ${camel},\n`,
    text.slice(end),
  ].join("");
}

/** The README with a row for the new job. @throws {Error} where it has no table of jobs */
export function withRow(text: string, { name, task }: NewJob): string {
  const last = [...text.matchAll(/^\| \[[a-z-]+\/[a-z-]+\]\(docs\/jobs\/.+$/gm)].at(-1);
  if (last === undefined) throw new Error("README.md has no table of jobs");
  const behind = last.index + last[0].length;
  const row = `| [${name}](docs/jobs/${task}.md) | daily, ${firstTimeInIndia()} | does nothing yet |`;
  return `${text.slice(0, behind)}\n${row}${text.slice(behind)}`;
}
