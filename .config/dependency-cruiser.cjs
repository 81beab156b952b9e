/** The arrows of the architecture: jobs -> harness and cores -> razorpay, db -> support. */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      comment: "A cycle means that two files have one idea between them.",
      from: {},
      to: { circular: true },
    },
    {
      name: "support-imports-nothing-of-ours",
      severity: "error",
      from: { path: "^lib/support/" },
      to: { path: "^(lib|jobs|scripts|test)/", pathNot: "^lib/support/" },
    },
    {
      name: "adapters-import-support-only",
      severity: "error",
      comment: "lib/db and lib/razorpay know nothing of payouts.",
      from: { path: "^lib/(db|razorpay)/" },
      to: { path: "^(lib|jobs|scripts|test)/", pathNot: "^lib/(support|$1)/" },
    },
    {
      name: "cores-never-import-the-harness",
      severity: "error",
      comment: "A core gets what it needs as arguments and returns a report.",
      from: { path: "^lib/", pathNot: "^lib/job/" },
      to: { path: "^lib/job/" },
    },
    {
      name: "harness-knows-no-core",
      severity: "error",
      from: { path: "^lib/job/" },
      to: { path: "^lib/", pathNot: "^lib/(job|db|support)/" },
    },
    {
      name: "payouts-state-is-the-trunk",
      severity: "error",
      comment: "Every statement that moves a payout is in lib/payouts/state, which knows no run.",
      from: { path: "^lib/payouts/state/" },
      to: { path: "^lib/payouts/", pathNot: "^lib/payouts/state/" },
    },
    {
      name: "payouts-leaves-import-the-trunk-and-never-each-other",
      severity: "error",
      comment:
        "Pay run, batch, operators, stuck payouts and reconciliation each stand alone on the trunk.",
      from: { path: "^lib/payouts/([^/]+)/", pathNot: "^lib/payouts/state/" },
      to: { path: "^lib/payouts/", pathNot: "^lib/payouts/(state|$1)/" },
    },
    {
      name: "shipped-code-imports-no-scripts-or-tests",
      severity: "error",
      from: { path: "^(lib|jobs)/" },
      to: { path: "^(scripts|test)/" },
    },
    {
      name: "lib-imports-no-jobs",
      severity: "error",
      from: { path: "^lib/" },
      to: { path: "^jobs/" },
    },
    {
      name: "operator-commands-import-no-tools-of-development",
      severity: "error",
      comment: "An operator works where neither a sandbox nor a development package is installed.",
      from: { path: "^scripts/cli/" },
      to: { path: "^(scripts|test)/", pathNot: "^scripts/cli/" },
    },
    {
      name: "frame-knows-no-command",
      severity: "error",
      comment:
        "The frame of commands, and the schema that this version wants, serve every command.",
      from: { path: "^scripts/cli/(frame|schema)/" },
      to: { path: "^scripts/", pathNot: "^scripts/cli/(frame|schema)/" },
    },
    {
      name: "a-command-imports-the-frame-and-its-own-folder",
      severity: "error",
      comment: "What two commands need belongs to the frame.",
      from: { path: "^scripts/cli/([a-z-]+)[./]", pathNot: "^scripts/cli/(frame|schema)/" },
      to: { path: "^scripts/cli/", pathNot: "^scripts/cli/(frame|schema|$1)[./]" },
    },
    {
      name: "a-sandbox-stands-alone",
      severity: "error",
      comment: "A server that plays the provider must not share the code that it tests.",
      from: { path: "^scripts/sandbox/([^/]+)/" },
      to: {
        path: "^(lib|jobs|scripts|test)/",
        pathNot: "^(scripts/sandbox/$1|scripts/cli/frame|lib/support)/",
      },
    },
    {
      name: "tools-of-development-start-commands-and-import-none",
      severity: "error",
      from: { path: "^scripts/dev/" },
      to: { path: "^(scripts/cli|test)/", pathNot: "^scripts/cli/(frame|schema)/" },
    },
    {
      name: "shipped-code-uses-production-dependencies",
      severity: "error",
      from: { path: "^(lib|jobs)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
