/** Writes the pages that are generated from declarations: `npm run docs:generate`. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { jobs } from "../../../jobs/registry.ts";
import { CONFIGURATION_PAGE, configurationPage } from "./configuration-page.ts";
import { ENV_EXAMPLE, envExample } from "./env-example.ts";
import { jobPage, withFacts } from "./job-facts.ts";
import { newCommand } from "../../cli/frame/command-line.ts";

try {
  newCommand("docs:generate")
    .description("Writes the configuration reference, .env.example and the facts of each job anew.")
    .allowExcessArguments(false)
    .exitOverride()
    .showHelpAfterError()
    .parse();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exit(error.exitCode === 0 ? 0 : 2);
}

const pathOf = (page: string): string =>
  fileURLToPath(new URL(`../../../${page}`, import.meta.url));

await writeFile(pathOf(CONFIGURATION_PAGE), await configurationPage(jobs));
await writeFile(pathOf(ENV_EXAMPLE), envExample(jobs));
for (const job of jobs) {
  const path = pathOf(jobPage(job));
  await writeFile(path, await withFacts(await readFile(path, "utf8"), job));
}
console.log(
  `${CONFIGURATION_PAGE}, ${ENV_EXAMPLE} and the facts of ${jobs.length} jobs are written.`,
);
