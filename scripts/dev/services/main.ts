import { once } from "node:events";
import { InvalidArgumentError } from "commander";
import { AfterhoursError, toError } from "../../../lib/support/errors.ts";
import { migrate } from "../migrate/apply.ts";
import { connectAdmin } from "../../cli/frame/database-url.ts";
import { startPostgres } from "./postgres.ts";
import { findRedis } from "./redis-binary.ts";
import { refuseNobody, runsAsNobody } from "./server-account.ts";
import { startRedis } from "./redis.ts";
import { newCommand, readerLost } from "../../cli/frame/command-line.ts";

interface Options {
  port?: number;
  dataDir?: string;
  migrate: boolean;
}

const DATABASE = "afterhours";

const program = newCommand("services")
  .description(
    "PostgreSQL, and Redis where it is installed, for work on this machine.\n" +
      "Runs until Ctrl-C and leaves nothing running.",
  )
  .option("--port <number>", "PostgreSQL's port (default: a free one)", parsePort)
  .option("--data-dir <folder>", "keep the data there (default: it goes at the end)")
  .option("--no-migrate", "leave the database empty")
  .exitOverride()
  .action(run);

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = report(toError(thrown));
}

/** Starts the servers, prints the lines to export, waits for a signal, stops in the opposite order. */
async function run(options: Options): Promise<void> {
  const interrupted = firstOf(["SIGINT", "SIGTERM", "SIGHUP"]);
  // Neither a server nor a listener for signals keeps a process alive.
  const alive = setInterval(() => undefined, 60_000);
  const stops: (() => Promise<void>)[] = [];
  try {
    if (options.dataDir !== undefined) refuseNobody();
    const postgres = await startPostgres({
      ...(options.port !== undefined && { port: options.port }),
      ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    });
    stops.push(postgres.stop);
    const url = postgres.urlOf(DATABASE);
    await createDatabase(postgres.url);
    if (options.migrate) await migrate({ url });
    console.log(`export DATABASE_URL='${url}'`);

    if (findRedis()) {
      const redis = await startRedis();
      stops.push(redis.stop);
      console.log(`export REDIS_URL='${redis.url}'`);
    } else {
      console.log("# No redis-server on the PATH: locks are held in PostgreSQL.");
    }
    if (runsAsNobody()) {
      console.log("# PostgreSQL runs as nobody: no `postgres` account. Only for made-up data.");
    }
    console.log("# Running until Ctrl-C.");
    await Promise.race([interrupted, readerLost]);
  } finally {
    clearInterval(alive);
    for (const stop of stops.reverse()) await stop();
  }
}

async function createDatabase(adminUrl: string): Promise<void> {
  const admin = await connectAdmin(adminUrl);
  try {
    const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [
      DATABASE,
    ]);
    if (rowCount === 0) await admin.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await admin.end();
  }
}

/** Listens from the start: a signal during start-up must not leave a server behind. */
async function firstOf(signals: NodeJS.Signals[]): Promise<void> {
  await Promise.race(signals.map((signal) => once(process, signal)));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a number from 1 to 65535.");
}

/** Exit code 2: called wrongly; 1: it was tried and failed. */
function report(error: Error & { exitCode?: number }): number {
  if (error.exitCode !== undefined) return error.exitCode === 0 ? 0 : 2;
  console.error(error.message);
  if (error instanceof AfterhoursError && error.remedy !== undefined) console.error(error.remedy);
  return 1;
}
