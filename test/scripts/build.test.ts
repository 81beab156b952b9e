import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openMailWorld, mailRows, seedMails, takenById, type MailWorld } from "../support/mail.ts";
import { startStep, type JobEnd } from "../support/job-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = ["jobs", "lib", "scripts", "package-lock.json", "tsconfig.json"];
const BUNDLE = "dist/jobs/payouts/process-payouts.js";
const TEMPLATE = "dist/jobs/shared/templates/waitlist-offer.html";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "afterhours-build-"));
});
beforeEach(() => {
  for (const part of [...SOURCE, "dist"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
});
afterEach(() => {
  rmSync(join(folder, "dist"), { recursive: true, force: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const BUILD: string = new URL("../../scripts/dev/build.mjs", import.meta.url).href;

/** As set-up asks it. */
async function areBuilt(): Promise<boolean> {
  const { areJobsBuilt } = (await import(BUILD)) as { areJobsBuilt: (root: string) => boolean };
  return areJobsBuilt(folder);
}

describe("the bundles of the jobs", () => {
  it("are not made again while they are whole and the source is as it was", async () => {
    expect(await areBuilt()).toBe(true);
  });

  it.each<[string, () => void]>([
    ["a bundle is gone", () => rmSync(join(folder, BUNDLE))],
    ["a mail template is gone", () => rmSync(join(folder, TEMPLATE))],
    ["a bundle was cut off", () => truncateSync(join(folder, BUNDLE), 20)],
    ["all of them are gone", () => rmSync(join(folder, "dist"), { recursive: true })],
    ["the stamp was cut off", () => truncateSync(join(folder, "dist/.made-from"), 20)],
    ["a file is too many", () => appendFileSync(join(folder, "dist/jobs/another.js"), "1;")],
    ["the source has changed", () => appendFileSync(join(folder, "lib/support/clock.ts"), "\n")],
  ])("are made again when %s", async (_what, spoil) => {
    spoil();
    expect(await areBuilt()).toBe(false);
  });
});

describe("the folder of the bundles", () => {
  it("is open to the user that runs the jobs, whoever made it", () => {
    expect(statSync(join(ROOT, "dist")).mode & 0o777).toBe(0o755);
  });

  it("has source maps that lead to our files from where it lies", () => {
    const maps = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".map"))
      .map((file) => join(ROOT, "dist", file));
    const sources = maps.flatMap((file) => {
      const { sources: named } = JSON.parse(readFileSync(file, "utf8")) as { sources: string[] };
      return named.filter((name) => name.startsWith(".")).map((name) => join(dirname(file), name));
    });
    expect(sources).toContain(join(ROOT, "lib/razorpay/transport.ts"));
    const ours = sources.filter((source) => !source.includes("/node_modules/"));
    expect(ours.filter((source) => !existsSync(source))).toEqual([]);
  });
});

describe("the packages in the bundles", () => {
  it("are those that a runner installs: no tool of development is among them", () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const bundled = new Set<string>();
    for (const file of readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".map")) continue;
      const { sources } = JSON.parse(readFileSync(join(ROOT, "dist", file), "utf8")) as {
        sources: string[];
      };
      for (const source of sources) {
        const [path] = /node_modules\/(.*node_modules\/)?(@[^/]+\/)?[^/]+/.exec(source) ?? [];
        // A package can tell of sources of its own build, which are nowhere.
        if (path !== undefined && existsSync(join(ROOT, path))) bundled.add(path);
      }
    }
    expect(bundled.size).toBeGreaterThan(20);
    const wrong = [...bundled].filter((path) => packages[path] === undefined || packages[path].dev);
    expect(wrong).toEqual([]);
  });
});

describe("a bundled job", () => {
  it("writes a readable log where standard error is a terminal", async () => {
    const { database, sandbox } = await openMailWorld();
    // `script` gives the job a terminal of its own, and ends as the job does.
    const end = await startStep({
      script: 'exec script -qec "node dist/jobs/notifications/deliver-outbox.js" /dev/null',
      env: { DATABASE_URL: database.url, ...sandbox.env },
    }).ended;
    expect(end, end.stdout).toMatchObject({ exitCode: 0 });
    expect(end.stdout).toContain("Everything that was due is done.");
    expect(end.stdout).not.toContain('"level":"info"');
    expect(end.stdout).toContain("started");
  });
});

describe("a mail whose template is not installed", () => {
  const deliver = ({ database, sandbox }: MailWorld, flags = ""): Promise<JobEnd> =>
    startStep({
      script: `exec node dist/jobs/notifications/deliver-outbox.js ${flags}`,
      env: { DATABASE_URL: database.url, ...sandbox.env },
      cwd: folder,
    }).ended;

  it("stays queued and loses no try; the run is red, says what is missing, and what to do", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 2);
    rmSync(join(folder, TEMPLATE));

    for (const flags of ["--dry-run", ""]) {
      const end = await deliver(world, flags);
      expect(end, end.stderr).toMatchObject({ exitCode: 1 });
      expect(end.stdout).toContain("failed (mail-template-missing)");
      expect(end.stdout).toContain("waitlist-offer.html");
      expect(end.stdout).toContain("npm run build");
    }
    expect(await mailRows(world.database)).toMatchObject(
      ids.map(() => ({ status: "QUEUED", tries: 0, claimed: false })),
    );

    cpSync(join(ROOT, TEMPLATE), join(folder, TEMPLATE));
    expect(await deliver(world)).toMatchObject({ exitCode: 0 });
    expect(takenById(world).size).toBe(2);
  });
});
