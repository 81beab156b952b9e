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
      name: "db-imports-support-only",
      severity: "error",
      from: { path: "^lib/db/" },
      to: { path: "^(lib|jobs|scripts|test)/", pathNot: "^lib/(support|db)/" },
    },
    {
      name: "provider-port-imports-support-only",
      severity: "error",
      comment:
        "The port says what a core may ask of a provider. It knows neither an adapter nor a core.",
      from: { path: "^lib/provider/" },
      to: { path: "^(lib|jobs|scripts|test)/", pathNot: "^lib/(support|provider)/" },
    },
    {
      name: "razorpay-implements-the-port",
      severity: "error",
      from: { path: "^lib/razorpay/" },
      to: { path: "^(lib|jobs|scripts|test)/", pathNot: "^lib/(support|provider|razorpay)/" },
    },
    {
      name: "only-jobs-and-scripts-choose-the-provider",
      severity: "error",
      comment:
        "A core is given a PayoutProvider or a PaymentProvider, so that a second adapter changes no core.",
      from: { path: "^lib/", pathNot: "^lib/razorpay/" },
      to: { path: "^lib/razorpay/" },
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
      name: "refunds-know-nothing-of-checkouts-and-payouts",
      severity: "error",
      comment:
        "A checkout that is paid too late asks for a refund; the other way round there is no arrow.",
      from: { path: "^lib/refunds/" },
      to: { path: "^lib/(checkouts|payouts)/" },
    },
    {
      name: "checkouts-know-nothing-of-payouts",
      severity: "error",
      from: { path: "^lib/checkouts/" },
      to: { path: "^lib/payouts/" },
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
