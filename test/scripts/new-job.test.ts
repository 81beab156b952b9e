import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The whole repository, since its pages link to each other. */
const TREE = readdirSync(ROOT).filter(
  (name) => ![".git", ".cache", "dist", "node_modules"].includes(name),
);
const JOB = "ops/example";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "afterhours-new-job-"));
  for (const part of TREE) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: tmpdir() };
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
}

const make = (name: string): ReturnType<typeof node> =>
  node("--import", "tsx", "scripts/dev/new-job/main.ts", name);

/** The files of the copy that differ from the repository, or are in it alone. */
function touched(): string[] {
  const files = TREE.flatMap((part) =>
    statSync(join(folder, part)).isFile()
      ? [part]
      : readdirSync(join(folder, part), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
  );
  return files
    .filter((file) => {
      const ours = join(ROOT, file);
      return !existsSync(ours) || !readFileSync(ours).equals(readFileSync(join(folder, file)));
    })
    .sort();
}

describe("a job that can not be made", () => {
  it.each([
    ["Ops/Example", "expected domain/task in small letters and dashes"],
    ["example", "expected domain/task in small letters and dashes"],
    ["../example", "expected domain/task in small letters and dashes"],
    ["registry/example", "jobs/registry.ts is a file, so registry is no domain"],
    ["ops/prune", "jobs/ops/prune.ts exists already"],
    ["payouts/prune", "docs/jobs/prune.md exists already"],
    ["ledger/audit", ".github/workflows/ledger-audit.yml exists already"],
  ])("is named, and nothing is changed: %s", (name, problem) => {
    const { status, stderr } = make(name);
    expect(stderr).toContain(`error: ${name}: `);
    expect(stderr).toContain(problem);
    expect(stderr).toContain("Nothing was changed.");
    expect(status).toBe(2);
    expect(touched()).toEqual([]);
  });

  it("leaves nothing behind when a list can not be changed", () => {
    const list = join(folder, "README.md");
    const text = readFileSync(list, "utf8");
    writeFileSync(list, "# Without a table\n");
    const { status, stderr } = make(JOB);
    expect(stderr).toBe("error: README.md has no table of jobs. Nothing was changed.\n");
    expect(status).toBe(1);
    writeFileSync(list, text);
    expect(touched()).toEqual([]);
  });
});

describe("a new job", () => {
  beforeAll(() => {
    expect(make(JOB)).toMatchObject({ status: 0, stderr: "" });
  });

  it("touches eight files", () => {
    expect(touched()).toEqual([
      ".github/workflows/ops-example.yml",
      "README.md",
      "docs/configuration.md",
      "docs/jobs/example.md",
      "jobs/ops/example.ts",
      "jobs/watched.ts",
      "lib/ops/example/example.ts",
      "test/lib/ops/example.test.ts",
    ]);
  });

  it("passes its own test, and those of registry, workflows and pages", () => {
    const files = [
      ...["test/workflows/registry.test.ts", "test/workflows/rules.test.ts"],
      ...["test/docs/jobs.test.ts", "test/docs/configuration.test.ts"],
      ...["test/docs/runbooks.test.ts", "test/docs/links.test.ts"],
      "test/lib/ops/example.test.ts",
    ];
    const { status, stdout, stderr } = node("--import", "tsx", "test/run.ts", "unit", ...files);
    expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    expect(stdout).toContain("test/lib/ops/example.test.ts");
  });

  it("has the types and the format that every file must have", () => {
    const files = touched();
    const config = {
      extends: "./tsconfig.json",
      include: [],
      files: files.filter((file) => file.endsWith(".ts")),
    };
    writeFileSync(join(folder, "tsconfig.new-job.json"), JSON.stringify(config));
    const types = node("node_modules/typescript/bin/tsc", "-p", "tsconfig.new-job.json");
    expect(types).toMatchObject({ status: 0, stdout: "" });
    const format = node("node_modules/prettier/bin/prettier.cjs", "--check", ...files);
    expect(format).toMatchObject({ status: 0 });
  });
});
