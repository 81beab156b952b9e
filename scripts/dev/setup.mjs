/**
 * Makes a fresh clone ready: dependencies, then the bundles of the jobs. Plain JavaScript that needs
 * nothing installed. Says one line for each step that it takes and nothing when there is none.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { areJobsBuilt, buildJobs } from "./build.mjs";
import { withLock } from "./setup-lock.mjs";

const OLDEST_NODE = [20, 19];
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const stampFile = join(root, "node_modules/.afterhours-setup");

const HELP = `Usage: npm run setup

Makes a fresh clone ready: installs the dependencies as the lock file says, then
bundles the jobs into dist. Does nothing where both are up to date.

Options:
  -h, --help  show this help and do nothing`;

// A reader that has seen enough, such as \`head\`, is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (error.code !== "EPIPE") process.exitCode = 1;
  });
}

const [flag] = process.argv.slice(2);
if (flag === "--help" || flag === "-h") console.log(HELP);
else if (flag !== undefined) misused(flag);
else await main();

function misused(flag) {
  console.error(`error: unknown argument ${flag}\n\n${HELP}`);
  process.exitCode = 2;
}

async function main() {
  try {
    checkNode();
    if (!isReady()) await withLock(join(root, ".cache/setup.lock"), setUp);
  } catch (error) {
    console.error(`Setup failed: ${error.message}`);
    process.exitCode = 1;
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(
    `Node ${OLDEST_NODE.join(".")} or newer is needed, this is ${process.versions.node}.`,
  );
}

function isReady() {
  return areDependenciesInstalled() && areJobsBuilt(root);
}

/** A process that waited for the lock finds the other one's work done. */
async function setUp() {
  if (!areDependenciesInstalled()) installDependencies();
  if (!areJobsBuilt(root)) {
    console.log("Bundling the jobs.");
    await buildJobs(root);
  }
}

function areDependenciesInstalled() {
  const lock = readFileSync(join(root, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  if (readIfThere(stampFile) === hash) return true;
  if (!isInstalledAsLocked(JSON.parse(lock))) return false;
  writeStamp(hash);
  return true;
}

/**
 * npm writes a lockfile of the installed packages at the very end. One that agrees with ours means a complete
 * installation, even if another process made it. Optional packages may be absent, since most are for other
 * platforms.
 */
function isInstalledAsLocked(lock) {
  const text = readIfThere(join(root, "node_modules/.package-lock.json"));
  if (text === undefined) return false;
  const installed = JSON.parse(text).packages;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    if (!found) return wanted.optional === true || wanted.peer === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function installDependencies() {
  console.log("Installing dependencies (npm ci).");
  const [command, args] = npmCommand();
  run(command, [...args, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], npmEnvironment());
  const lock = readFileSync(join(root, "package-lock.json"));
  writeStamp(createHash("sha256").update(lock).digest("hex"));
}

/** The npm that called us, when one did; else the one on the PATH. */
function npmCommand() {
  const caller = process.env.npm_execpath;
  if (caller && /^npm(-cli)?\.c?js$/.test(basename(caller)) && existsSync(caller)) {
    return [process.execPath, [caller]];
  }
  return [process.platform === "win32" ? "npm.cmd" : "npm", []];
}

/**
 * Development dependencies are needed with any NODE_ENV. A home that cannot be written to gets npm's cache in
 * the clone instead.
 */
function npmEnvironment() {
  const env = { ...process.env, npm_config_include: "dev" };
  const cache = env.npm_config_cache ?? join(env.HOME || "/", ".npm");
  if (!canWrite(cache)) env.npm_config_cache = join(root, ".cache/npm");
  return env;
}

/** Whether it can be written to, or made where it does not exist yet. */
function canWrite(path) {
  let nearest = path;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Quiet, unless it fails. */
function run(command, args, env) {
  const shell = process.platform === "win32";
  const result = spawnSync(command, args, { cwd: root, env, encoding: "utf8", shell });
  if (result.error) throw new Error(`${command} could not be run: ${result.error.message}`);
  if (result.status === 0) return;
  throw new Error(`${command} ${args.join(" ")} failed.\n${result.stdout}${result.stderr}`.trim());
}

/** A stamp only saves time: where it cannot be written, the check is made again next time. */
function writeStamp(hash) {
  try {
    writeFileSync(stampFile, hash);
  } catch {
    return;
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
