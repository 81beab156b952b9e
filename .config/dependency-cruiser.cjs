/** The rooms of lib/ from the ground up: each may import the rooms named here, itself and lib/support. */
const ROOMS = [
  { room: "support", may: [], comment: "The ground: it knows nothing of ours." },
  { room: "db", may: [], comment: "Connections, errors, SQLSTATE. It knows no table." },
  {
    room: "provider",
    may: [],
    comment: "Our port to a provider. It knows neither adapter nor core.",
  },
  {
    room: "razorpay",
    may: ["provider"],
    comment: "An adapter. It implements the port and no more.",
  },
  { room: "audit", may: ["db"], comment: "Who changed what." },
  { room: "findings", may: ["db", "audit"], comment: "What differs, for a person." },
  {
    room: "checks",
    may: ["db", "findings"],
    comment: "Rules over records of all rooms, in SQL. It imports none of them.",
  },
  {
    room: "tds",
    may: ["db", "audit"],
    comment: "The tax engine and a payee's papers. It knows neither books nor earnings.",
  },
  { room: "ledger", may: ["db", "findings", "tds"], comment: "The books." },
  {
    room: "earnings",
    may: ["db", "provider", "audit", "ledger", "tds"],
    comment: "What consultants have earned. It knows no payout room.",
  },
  {
    room: "tax-returns",
    may: ["db", "audit", "ledger", "tds", "earnings"],
    comment: "Tax that is due, deposited and declared, read from books and earnings.",
  },
  {
    room: "statement",
    may: ["db", "provider", "findings", "ledger"],
    comment: "The bank's statement.",
  },
  { room: "notifications", may: ["db", "provider", "audit"], comment: "Mail. It moves no money." },
  { room: "waitlist", may: ["db", "notifications"], comment: "Seats and offers." },
  {
    room: "payouts",
    may: [
      "db",
      "provider",
      "audit",
      "findings",
      "ledger",
      "tds",
      "earnings",
      "statement",
      "notifications",
    ],
    comment: "Money to consultants. It knows nothing of checkouts and refunds.",
  },
  {
    room: "refunds",
    may: ["db", "provider", "audit", "findings", "ledger", "earnings", "notifications"],
    comment: "Money back to buyers. It knows nothing of payouts and checkouts.",
  },
  {
    room: "checkouts",
    may: ["db", "provider", "audit", "findings", "ledger", "notifications", "waitlist", "refunds"],
    comment: "A checkout that is paid too late asks for a refund; there is no arrow back.",
  },
  {
    room: "plans",
    may: [
      "db",
      "provider",
      "audit",
      "findings",
      "ledger",
      "earnings",
      "notifications",
      "waitlist",
      "refunds",
      "checkouts",
    ],
    comment: "An event as one thing: what its cancellation does to seats, checkouts and money.",
  },
  {
    room: "payment-events",
    may: ["db", "provider", "audit", "findings", "refunds"],
    comment: "Refunds and disputes at the provider that nobody here asked for.",
  },
  { room: "ops", may: ["db", "audit", "tds", "tax-returns"], comment: "Watching and pruning." },
  { room: "job", may: ["db"], comment: "The harness. It imports no core." },
];

const roomRules = ROOMS.map(({ room, may, comment }) => ({
  name: `room-${room}`,
  severity: "error",
  comment,
  from: { path: `^lib/${room}/` },
  to: {
    path: "^(lib|jobs|scripts|test)/",
    pathNot: `^lib/(${[...new Set(["support", room, ...may])].join("|")})/`,
  },
}));

/** The arrows of the architecture: jobs -> harness and cores -> provider, db -> support. */
module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: "no-cycles",
      severity: "error",
      comment: "A cycle means that two files have one idea between them.",
      from: {},
      to: { circular: true },
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
