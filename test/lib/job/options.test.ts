import { describe, expect, it } from "vitest";
import { job as cancelPending } from "../../../jobs/payments/cancel-pending.ts";
import { harnessVariables } from "../../../lib/job/environment.ts";
import { parseOptions } from "../../../lib/job/options.ts";
import type { ParsedOptions } from "../../../lib/job/common-options.ts";
import { readOptions } from "../../../lib/job/read-options.ts";
import { exitCodes } from "../../../lib/job/outcome.ts";
import { logLevels } from "../../../lib/support/log.ts";
import { testJob } from "./test-job.ts";

function parse(
  argv: string[],
  env: Record<string, string> = {},
): { parsed: ParsedOptions; printed: string } {
  let printed = "";
  const parsed = parseOptions(testJob(), argv, env, { stdout: (text) => (printed += text) });
  return { parsed, printed };
}

const options = (argv: string[], env?: Record<string, string>) => {
  const { parsed } = parse(argv, env);
  if (parsed.kind !== "run") throw new Error(JSON.stringify(parsed));
  return parsed.options;
};
const problem = (argv: string[], env?: Record<string, string>): string => {
  const { parsed, printed } = parse(argv, env);
  if (parsed.kind !== "unusable") throw new Error(JSON.stringify(parsed));
  expect(printed).toBe("");
  return parsed.problem;
};

describe("flags", () => {
  it("are all optional", () => {
    expect(options([])).toEqual({ dryRun: false, limit: undefined, logLevel: "info" });
  });

  it("are read in any order", () => {
    expect(options(["--log-level", "debug", "--limit=5", "--dry-run"])).toEqual({
      dryRun: true,
      limit: 5,
      logLevel: "debug",
    });
  });

  it.each([
    [["--frobnicate"], "unknown option '--frobnicate'"],
    [["--dryrun"], "unknown option '--dryrun'"],
    [["--dry-run=false"], "unknown option"],
    [["--no-dry-run"], "unknown option"],
    [["-n"], "unknown option '-n'"],
    [["payouts"], "too many arguments"],
    [["--dry-run", "true"], "too many arguments"],
    [["--limit"], "argument missing"],
    [["--log-level", "loud"], "loud"],
  ])("%j are refused: %s", (argv, expected) => {
    expect(problem(argv)).toContain(expected);
  });

  it.each([...logLevels])("--log-level %s is known", (level) => {
    expect(options(["--log-level", level]).logLevel).toBe(level);
  });
});

describe("--limit", () => {
  it.each([
    ["1", 1],
    ["10", 10],
    ["007", 7],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("%s is %d", (text, limit) => {
    expect(options(["--limit", text]).limit).toBe(limit);
  });

  it.each([
    "0",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "",
    " 5",
    "5 ",
    "five",
    "1_000",
    "9007199254740993",
    "Infinity",
  ])("%j is refused", (text) => {
    expect(problem([`--limit=${text}`])).toContain("expected a whole number of at least 1");
    expect(problem(["--limit", text])).toContain("expected a whole number of at least 1");
  });
});

describe("DRY_RUN in the environment", () => {
  it.each(["1", "true", "TRUE", "yes", "on", " 1 "])("%j equals --dry-run", (value) => {
    expect(options([], { DRY_RUN: value }).dryRun).toBe(true);
  });

  it.each(["0", "false", "No", "off", "", "  "])("%j is a real run", (value) => {
    expect(options([], { DRY_RUN: value }).dryRun).toBe(false);
  });

  it.each(["0", "false", ""])("%j does not take --dry-run back", (value) => {
    expect(options(["--dry-run"], { DRY_RUN: value }).dryRun).toBe(true);
  });

  it.each(["2", "ja", "true;", "y", "dry"])(
    "%j is refused: a dry run that was meant and not understood would be a real run",
    (value) => {
      expect(problem([], { DRY_RUN: value })).toBe(
        "DRY_RUN must be one of 1, true, yes, on, 0, false, no, off",
      );
    },
  );

  it("is read from what was handed in, not from this process", () => {
    process.env["DRY_RUN"] = "1";
    try {
      expect(options([], {}).dryRun).toBe(false);
    } finally {
      delete process.env["DRY_RUN"];
    }
  });
});

describe("--help", () => {
  const { parsed, printed } = parse(["--help"]);

  it("is not a run", () => {
    expect(parsed).toEqual({ kind: "help" });
    expect(parse(["--limit", "5", "-h"]).parsed).toEqual({ kind: "help" });
  });

  it("is given whatever DRY_RUN holds", () => {
    expect(parse(["--help"], { DRY_RUN: "perhaps" }).parsed).toEqual({ kind: "help" });
  });

  it("says what the job does, when it runs, and every flag", () => {
    for (const text of [
      "tests/count-things",
      "Counts things for a test.",
      "37 15 * * 1",
      "--dry-run",
      "--limit <n>",
      "--log-level <level>",
    ])
      expect(printed).toContain(text);
  });

  it("lists every variable of the harness and of the job, what is required and what is the default", () => {
    // A meaning that is longer than the line goes on in the next one.
    const unwrapped = printed.replace(/\s+/g, " ");
    for (const { name, description } of [...harnessVariables, ...testJob().environment.variables]) {
      expect(unwrapped).toContain(` ${name} ${description}: `);
    }
    expect(unwrapped).toMatch(/DATABASE_URL [^:]*:[^)]*\(required\)/);
    expect(unwrapped).toMatch(/TEST_SPEED .*\(default: moderate\)/);
  });

  it("lists every exit code", () => {
    for (const [kind, code] of Object.entries(exitCodes)) {
      expect(printed).toContain(`${kind} ${code}`);
    }
  });
});

describe("a job's own flag with a default", () => {
  const region = {
    name: "region",
    description: "where",
    problemWith: (text: string) => (/^[a-z]+$/.test(text) ? undefined : "expected small letters."),
    default: "all",
  };
  const flagsOf = (argv: string[]): unknown => {
    const job = { ...testJob(), flags: [region] };
    const parsed = parseOptions(job, argv, {}, { stdout: () => undefined });
    return parsed.kind === "run" ? parsed.flags : parsed;
  };

  it("has its default in a run that does not give it", () => {
    expect(flagsOf([])).toEqual({ region: "all" });
  });

  it("has the value that a run gives", () => {
    expect(flagsOf(["--region", "goa"])).toEqual({ region: "goa" });
  });

  it("is checked when it is given", () => {
    expect(flagsOf(["--region", "7"])).toMatchObject({ kind: "unusable" });
  });
});

describe("a run that is given no flags", () => {
  it.each([{}, { DRY_RUN: "1" }, { DRY_RUN: "off" }, { DRY_RUN: " " }, { DRY_RUN: "perhaps" }])(
    "does what the parser makes of none, with %o",
    async (env) => {
      const read = await readOptions(testJob(), [], env, { stdout: () => undefined });
      expect(read).toEqual(parse([], env).parsed);
    },
  );

  it("is refused all the same when the job needs one", async () => {
    expect(await readOptions(cancelPending, [], {}, { stdout: () => undefined })).toEqual({
      kind: "unusable",
      problem: "required option '--payment-id <value>' not specified",
    });
  });
});
