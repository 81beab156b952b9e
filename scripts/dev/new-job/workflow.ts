import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { harnessVariables, heartbeatVariable } from "../../../lib/job/environment.ts";
import { logLevels } from "../../../lib/support/log.ts";
import { FIRST_CRON, FIRST_LOCK_MINUTES, firstTimeInIndia, type NewJob } from "./new-job.ts";

/** The version of each action that our workflows use, as the text behind `uses:`. */
export interface Pins {
  checkout: string;
  upload: string;
}

/** @throws {Error} where no workflow uses one of the actions */
export function readPins(root: string): Pins {
  const folder = join(root, ".github/workflows");
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  const pinOf = (action: string): string => {
    const lines = texts.flatMap((text) => text.split("\n"));
    const line = lines.find((each) => each.includes(`uses: ${action}@`));
    if (line === undefined) throw new Error(`no workflow uses ${action}`);
    return line.slice(line.indexOf("uses: ") + "uses: ".length);
  };
  return { checkout: pinOf("actions/checkout"), upload: pinOf("actions/upload-artifact") };
}

/** The workflow of a job without variables of its own. */
export function workflowText({ name, task, slug }: NewJob, { checkout, upload }: Pins): string {
  const variables = mappingOf(name, slug).map(
    ([variable, text]) => `          ${variable}: ${text}`,
  );
  return `name: ${name}
run-name: ${name}\${{ inputs.dry_run && ' (dry run)' || '' }}

on:
  schedule:
    - cron: "${FIRST_CRON}" # daily, ${firstTimeInIndia()} in India
  workflow_dispatch:
    inputs:
      dry_run:
        description: Show what a run would do; write nothing, send nothing
        type: boolean
        default: false
      limit:
        description: Handle at most so many items
        type: string
      log_level:
        description: Least severe lines to log
        type: choice
        default: info
        options: [${logLevels.join(", ")}]

permissions: {}

concurrency:
  group: ${slug}\${{ inputs.dry_run && format('-dry-run-{0}', github.run_id) || '' }}
  cancel-in-progress: false

jobs:
  ${task}:
    runs-on: ubuntu-24.04
    timeout-minutes: ${FIRST_LOCK_MINUTES - 1}
    environment: production
    permissions:
      contents: read
    steps:
      - uses: ${checkout}
        with:
          persist-credentials: false

      - uses: ./.github/actions/build-jobs

      - uses: ./.github/actions/run-job
        id: job
        with:
          job: ${name}
        env:
          DRY_RUN: \${{ inputs.dry_run }}
          FLAG_LIMIT: \${{ inputs.limit }}
          FLAG_LOG_LEVEL: \${{ inputs.log_level }}
${variables.join("\n")}

      - name: Keep the report
        if: \${{ always() && steps.job.outcome != 'skipped' }}
        uses: ${upload}
        with:
          name: \${{ github.job }}-\${{ github.run_id }}-\${{ github.run_attempt }}
          path: \${{ runner.temp }}/report.json
          if-no-files-found: error
`;
}

/** Set by the workflow's own inputs and by the action that runs the job. */
const SET_OTHERWISE = new Set(["DRY_RUN", "REPORT_FILE", "HEARTBEAT_URL"]);

/** Where each variable of the harness comes from. */
function mappingOf(name: string, slug: string): [variable: string, text: string][] {
  const own = heartbeatVariable(name);
  return [
    ...harnessVariables
      .filter((each) => !SET_OTHERWISE.has(each.name) && each.noRepositoryVariable !== true)
      .map(({ name: variable, secret }): [string, string] => [
        variable,
        `\${{ ${secret === true ? "secrets" : "vars"}.${variable} }}`,
      ]),
    [
      "HEARTBEAT_URL",
      `\${{ secrets.HEARTBEAT_BASE_URL && format('{0}/${slug}', secrets.HEARTBEAT_BASE_URL) || '' }}`,
    ],
    [own, `\${{ secrets.${own} }}`],
  ];
}
