/** Writes the configuration reference anew: `npm run docs:configuration`. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { jobs } from "../../jobs/registry.ts";
import { CONFIGURATION_PAGE, configurationPage } from "./configuration-page.ts";

const path = fileURLToPath(new URL(`../../${CONFIGURATION_PAGE}`, import.meta.url));
await writeFile(path, await configurationPage(jobs));
console.log(`${CONFIGURATION_PAGE} is written.`);
