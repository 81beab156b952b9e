/**
 * Bundles every job into `dist/jobs/`, with all that it needs: to start one from there loads a few files and no
 * package, and takes a quarter of the time. Plain JavaScript, so that set-up can use it.
 */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STAMP = "dist/.made-from";
/** Read beside the module that uses it, when a mail is rendered. */
const MAILS = { module: "lib/notifications/render.ts", folder: "lib/notifications/templates" };
/** A job is a folder and a file; what lies in `jobs/` itself are lists of them. */
const JOB = /^[a-z-]+\/[a-z-]+\.ts$/;
/** Knows all other jobs: bundled with them, it would cut each of them into twice as many files. */
const KNOWS_ALL = "ops/watchdog.ts";

const thisFile = fileURLToPath(import.meta.url);
if (process.argv[1] === thisFile) await buildJobs(dirname(dirname(thisFile)));

/** Whether the bundles are there and made from the source as it is now. */
export function areJobsBuilt(root) {
  const stamp = join(root, STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === sourceHash(root);
}

/** The old bundles stay until the new ones are complete. */
export async function buildJobs(root) {
  const hash = sourceHash(root);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const made = mkdtempSync(join(root, ".cache/dist-"));
  try {
    const jobs = readdirSync(join(root, "jobs"), { recursive: true }).filter((file) =>
      JOB.test(file),
    );
    const apart = jobs.filter((file) => file === KNOWS_ALL);
    for (const together of [jobs.filter((file) => file !== KNOWS_ALL), apart]) {
      await bundle(root, { jobs: together, outdir: join(made, "jobs") });
    }
    writeFileSync(join(made, ".made-from"), hash);
    rmSync(join(root, "dist"), { recursive: true, force: true });
    renameSync(made, join(root, "dist"));
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

async function bundle(root, { jobs, outdir }) {
  const { build } = await import("esbuild");
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: jobs.map((file) => ({ in: `job:${file}`, out: file.replace(/\.ts$/, "") })),
    outdir,
    plugins: [startsItsJob(root), withoutUnused()],
    bundle: true,
    // Jobs share most of their code: 8 MB instead of 77, and less to parse at each start.
    splitting: true,
    chunkNames: "shared/[name]-[hash]",
    platform: "node",
    target: "node20.19",
    format: "esm",
    // Minified code starts no sooner, and a stack trace should be read without a map as well.
    minify: false,
    // As from Node 21 on. Without it `pg` makes a Response to find out where it runs, for which Node 20 loads
    // all of fetch: 25 ms of each start.
    define: { navigator: JSON.stringify({ userAgent: "Node.js" }) },
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: "warning",
    // Packages in CommonJS call `require` for what Node brings along.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
    if (!(MAILS.module in inputs)) continue;
    const beside = join(root, dirname(file), "templates");
    cpSync(join(root, MAILS.folder), beside, { recursive: true });
  }
}

/** An entry that starts its job; the job's own last line, which asks whether it was started, does nothing. */
function startsItsJob(root) {
  return {
    name: "starts its job",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^job:/ }, ({ path }) => ({ path: path.slice(4), namespace: "job" }));
      onLoad({ filter: /.*/, namespace: "job" }, ({ path }) => ({
        contents: `import { job } from "./jobs/${path}"; import { runMain } from "./lib/job/run-main.ts"; await runMain(job);`,
        resolveDir: root,
      }));
      onLoad({ filter: /[\\/]lib[\\/]job[\\/]run-if-main\.ts$/ }, () => ({
        contents: "export const runIfMain = () => undefined;",
      }));
    },
  };
}

/** Files of packages that nobody uses and that a bundle holds all the same, unless it is told that to load them does nothing. */
function withoutUnused() {
  return {
    name: "without unused",
    setup({ onResolve }) {
      // Tokens and facts of the machine, for which @actions/core loads an HTTP client and a shell.
      onResolve({ filter: /^\.\/(oidc-utils|platform)\.js$/ }, ({ path, importer, resolveDir }) =>
        importer.includes("@actions") ? { path: join(resolveDir, path), sideEffects: false } : null,
      );
    },
  };
}

/** Everything that the bundles depend on. */
function sourceHash(root) {
  const hash = createHash("sha256");
  for (const folder of ["jobs", "lib"]) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    const paths = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    for (const path of paths.sort()) addFile(path);
  }
  for (const name of ["package-lock.json", "tsconfig.json", "scripts/build.mjs"])
    addFile(join(root, name));
  return hash.digest("hex");

  function addFile(path) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
}
