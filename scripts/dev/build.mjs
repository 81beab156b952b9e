/**
 * Bundles every job into `dist/jobs/`, with all that it needs: to start one from there loads a few files and no
 * package, and takes a quarter of the time. So is the audit of the books, in one file. Plain JavaScript, so that
 * set-up can use it.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

/** Written last: the sources of the bundles, and their files. */
const STAMP = join("dist", ".made-from");
/** Read beside the module that uses it, when a mail is rendered. */
const MAILS = { module: "lib/notifications/render.ts", folder: "lib/notifications/templates" };
/** A job is a folder and a file; files directly in `jobs/` are lists of jobs. */
const JOB = /^[a-z-]+\/[a-z-]+\.ts$/;
const AUDIT = "scripts/cli/ledger-audit.ts";
/** The module with everything that any job loads before it has its lock. */
const LIGHT = "light part of every job";

const thisFile = fileURLToPath(import.meta.url);
if (process.argv[1] === thisFile) await buildJobs(dirname(dirname(dirname(thisFile))));

/** Whether the bundles are there, every file of them, and made from the source as it is now. */
export function areJobsBuilt(root) {
  const stamp = join(root, STAMP);
  if (!existsSync(stamp)) return false;
  const { source, files } = readStamp(stamp);
  return source === sourceHash(root) && isDeepStrictEqual(files, sizesIn(join(root, "dist")));
}

/** One that is cut off, or of an older version, is of no bundles. */
function readStamp(stamp) {
  try {
    return JSON.parse(readFileSync(stamp, "utf8"));
  } catch {
    return {};
  }
}

/** The size of each file, by its path; the stamp itself is none of them. */
function sizesIn(dist) {
  const paths = readdirSync(dist, { recursive: true }).sort();
  const files = paths.map((path) => [path, statSync(join(dist, path))]);
  return Object.fromEntries(
    files.flatMap(([path, stats]) =>
      stats.isFile() && join("dist", path) !== STAMP ? [[path, stats.size]] : [],
    ),
  );
}

/** The old bundles stay until the new ones are complete. */
export async function buildJobs(root) {
  const hash = sourceHash(root);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const made = mkdtempSync(join(root, ".cache/dist-"));
  try {
    await bundle(root, made);
    const stamp = { source: hash, files: sizesIn(made) };
    writeFileSync(join(made, basename(STAMP)), JSON.stringify(stamp));
    // A folder of `mkdtemp` is its maker's alone; jobs may run as another user.
    chmodSync(made, 0o755);
    rmSync(join(root, "dist"), { recursive: true, force: true });
    renameSync(made, join(root, "dist"));
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

/** Made for `dist/`, where the source maps count from, and written to `made`. */
async function bundle(root, made) {
  const { build } = await import("esbuild");
  const files = readdirSync(join(root, "jobs"), { recursive: true });
  const jobs = files.filter((file) => JOB.test(file));
  const common = {
    absWorkingDir: root,
    bundle: true,
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
    logLevel: "warning",
    write: false,
    // Packages in CommonJS call `require` for modules of Node.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  };
  // The audit runs beside the jobs, with a login of its own, and shares no file with them.
  const audit = await build({
    ...common,
    entryPoints: [AUDIT],
    outfile: join(root, "dist/ledger-audit.js"),
    plugins: [withoutUnused()],
  });
  const { metafile, outputFiles } = await build({
    ...common,
    entryPoints: jobs.map((file) => ({ in: `job:${file}`, out: file.replace(/\.ts$/, "") })),
    outdir: join(root, "dist/jobs"),
    plugins: [startsItsJob(root), inFewFiles(root, jobs), withoutUnused()],
    // Jobs share most of their code: 5 MB instead of 77, and less to parse at each start.
    splitting: true,
    chunkNames: "shared/[name]-[hash]",
    metafile: true,
  });
  for (const { path, contents } of [...outputFiles, ...audit.outputFiles]) {
    const file = join(made, relative(join(root, "dist"), path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
    if (!(MAILS.module in inputs)) continue;
    const beside = join(made, relative("dist", dirname(file)), "templates");
    cpSync(join(root, MAILS.folder), beside, { recursive: true });
  }
}

/** An entry that starts its job; the job's own last line, which asks whether it was started, does nothing. */
function startsItsJob(root) {
  return {
    name: "starts its job",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^job:/ }, ({ path }) => ({ path: path.slice(4), namespace: "job" }));
      onLoad({ filter: /^/, namespace: "job" }, ({ path }) => ({
        contents: `import { job } from "./jobs/${path}"; import { runMain } from "./lib/job/run-main.ts"; import ${JSON.stringify(LIGHT)}; await runMain(job);`,
        resolveDir: root,
      }));
      onLoad({ filter: /[\\/]lib[\\/]job[\\/]run-if-main\.ts$/ }, () => ({
        contents: "export const runIfMain = () => undefined;",
      }));
    },
  };
}

/**
 * Puts everything that a run loads before it has its lock into one file. A file costs 0.6 ms of each start, and
 * a bundle is cut wherever one of its parts needs a module that another does not: into thirty files for a run.
 * So each part, whether a job or a later import, is declared to need the light part of every job.
 */
function inFewFiles(root, jobs) {
  const loads = (file) => `import ${JSON.stringify(`./jobs/${file}`)};`;
  return {
    name: "in few files",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${LIGHT}$`) }, () => ({ path: LIGHT, namespace: "light" }));
      onLoad({ filter: /^/, namespace: "light" }, () => ({
        contents: `${jobs.map(loads).join("")} import "./lib/job/run-main.ts";`,
        resolveDir: root,
      }));
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
        kind === "dynamic-import" ? { path: join(resolveDir, path), namespace: "later" } : null,
      );
      onLoad({ filter: /^/, namespace: "later" }, ({ path }) => ({
        contents: `import ${JSON.stringify(LIGHT)}; export * from ${JSON.stringify(path)};`,
        resolveDir: dirname(path),
      }));
    },
  };
}

/** Files of packages that nobody uses, and that each run would load all the same. */
function withoutUnused() {
  return {
    name: "without unused",
    setup({ onLoad, onResolve }) {
      // Clusters and sentinels, a third of the code for a lock in Redis. The address of a server leads to
      // neither.
      onLoad(
        {
          filter:
            /[\\/]ioredis[\\/]built[\\/](cluster|connectors[\\/]SentinelConnector)[\\/]index\.js$/,
        },
        () => ({
          contents: `exports.default = class { constructor() { throw new Error("not in the bundle: see scripts/dev/build.mjs"); } };`,
        }),
      );
      // Colours of a package's own debug output. It is loaded where it is installed, and only a tool of
      // development brings it along.
      onResolve({ filter: /^supports-color$/ }, ({ path }) => ({ path, namespace: "absent" }));
      onLoad({ filter: /^/, namespace: "absent" }, () => ({ contents: "" }));
      // Tokens and facts of the machine, for which @actions/core loads an HTTP client and a shell: left out once
      // the bundle is told that to load them does nothing.
      onResolve({ filter: /^\.\/(oidc-utils|platform)\.js$/ }, ({ path, importer, resolveDir }) =>
        importer.includes("@actions") ? { path: join(resolveDir, path), sideEffects: false } : null,
      );
    },
  };
}

/** Everything that the bundles depend on. */
function sourceHash(root) {
  const hash = createHash("sha256");
  for (const folder of ["jobs", "lib", "scripts"]) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    const paths = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    for (const path of paths.sort()) addFile(path);
  }
  for (const name of ["package-lock.json", "tsconfig.json"]) addFile(join(root, name));
  return hash.digest("hex");

  function addFile(path) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
}
