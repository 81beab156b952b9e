import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import pg from "pg";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";
import { writePrivateFile } from "../../../lib/support/private-file.ts";
import { sleep } from "../../../lib/support/clock.ts";
import { onFreePort } from "./free-port.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { postgresBinaries } from "./postgres-binaries.ts";
import type { ServerAccount } from "./server-account.ts";
import { canWrite, makeServerDirectory, serverAccount } from "./server-account.ts";
import { SupervisedServer } from "./supervised.ts";

export interface PostgresOptions {
  /** Where the data stays after the server has stopped. Default: a temporary directory that goes. */
  dataDir?: string;
  /** Default: a free one. */
  port?: number;
  /**
   * `full` (default): a commit survives a crash, as in production. `none`: nothing is flushed to
   * disk, which is several times faster and right for tests that never restart the server.
   */
  durability?: "full" | "none";
  /**
   * Where there is no `dataDir`: the data lies in memory if the system has room for it, else on the disk.
   * For many small databases; all together may take 2 GB, logs included. Default: false.
   */
  inMemory?: boolean;
  /** Further settings of the server, as `{ log_statement: "all" }`. */
  settings?: Record<string, string>;
}

export interface RunningPostgres {
  /** The database `postgres` as the superuser, with the password in it. */
  readonly url: string;
  readonly port: number;
  /** The server's log. */
  readonly logFile: string;
  /** The same server, another database. */
  readonly urlOf: (database: string) => string;
  /** Ends the server as a signal does, and leaves its data: SIGKILL is a crash. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** Starts it again after `kill`, with the same data on the same port. */
  readonly restart: () => Promise<void>;
  /** Ends the server; its data goes too, unless `dataDir` was given. */
  readonly stop: () => Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts a real PostgreSQL on 127.0.0.1 without an installation. It demands a password, made for this run. It
 * ends with this process, even if this process is killed.
 *
 * @throws AfterhoursError with the server's output when it does not start
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<RunningPostgres> {
  const account = serverAccount();
  const binaries = await postgresBinaries(account);
  const removeAtEnd = binaries.temporaryCopy === undefined ? [] : [binaries.temporaryCopy];
  try {
    const home = serverHome(options, account);
    if (options.dataDir === undefined) removeAtEnd.push(home);
    const cluster = await openCluster({ home, binaries, account, options });
    // SIGINT is PostgreSQL's fast stop: sessions are cut, data is written. SIGQUIT writes nothing.
    const server = new SupervisedServer({ stopSignals: ["SIGINT", "SIGQUIT"], removeAtEnd });
    try {
      return await start(cluster, server);
    } catch (error) {
      await server.stop();
      throw error;
    }
  } catch (error) {
    for (const directory of removeAtEnd) rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

interface Cluster {
  home: string;
  password: string;
  binaries: PostgresBinaries;
  account: ServerAccount;
  options: PostgresOptions;
}

function serverHome(options: PostgresOptions, account: ServerAccount): string {
  if (options.dataDir === undefined) {
    const { inMemory = false } = options;
    return makeServerDirectory("afterhours-postgres-", account, { inMemory });
  }
  const home = resolve(options.dataDir);
  if (!existsSync(home)) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    if (account.uid !== undefined) chownSync(home, account.uid, account.gid);
  }
  if (canWrite(home, account)) return home;
  throw new AfterhoursError(
    "DATA_DIRECTORY_UNUSABLE",
    `The database server cannot write in ${home}.`,
    {
      remedy:
        account.uid === undefined
          ? "Give a directory of your own."
          : `It runs as user ${account.uid}, not as root: give a directory that this user can reach and owns.`,
    },
  );
}

/** Makes the cluster unless the directory holds one; its password lies beside it. */
async function openCluster(parts: Omit<Cluster, "password">): Promise<Cluster> {
  const { home, binaries, account, options } = parts;
  const passwordFile = join(home, "password");
  if (existsSync(join(home, "data", "PG_VERSION")) && existsSync(passwordFile)) {
    return { ...parts, password: readFileSync(passwordFile, "utf8").trim() };
  }
  const password = randomBytes(24).toString("hex");
  writePrivateFile(passwordFile, `${password}\n`);
  if (account.uid !== undefined) chownSync(passwordFile, account.uid, account.gid);
  await runInitdb(binaries.initdb, account, home, [
    `--pgdata=${join(home, "data")}`,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // PostgreSQL's own locale: the same order and case rules on every machine.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    ...(options.durability === "none" ? ["--no-sync"] : []),
  ]);
  return { ...parts, password };
}

function runInitdb(
  initdb: string,
  account: ServerAccount,
  cwd: string,
  args: string[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const run = spawn(initdb, args, {
      ...account,
      cwd,
      env: serverEnvironment(cwd),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let complaint = "";
    run.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    run.once("error", reject);
    run.once("close", (code) => {
      if (code === 0) resolve();
      else
        reject(new AfterhoursError("POSTGRES_NOT_STARTED", `initdb failed: ${complaint.trim()}`));
    });
  });
}

async function start(cluster: Cluster, server: SupervisedServer): Promise<RunningPostgres> {
  const port = await startOnSomePort(cluster, server);
  const urlOf = (database: string): string => urlFor(cluster, port, database);
  return {
    url: urlOf("postgres"),
    port,
    logFile: logFileOf(cluster),
    urlOf,
    kill: (signal) => server.kill(signal),
    restart: () => startOn(cluster, server, port),
    stop: () => server.stop(),
  };
}

async function startOnSomePort(cluster: Cluster, server: SupervisedServer): Promise<number> {
  const { port } = cluster.options;
  const startHere = (at: number): Promise<void> => startOn(cluster, server, at);
  if (port === undefined) {
    return onFreePort(startHere, (error) => errorCode(error) === "PORT_TAKEN");
  }
  await startHere(port);
  return port;
}

/** Starts the server and waits until it answers a query. */
async function startOn(cluster: Cluster, server: SupervisedServer, port: number): Promise<void> {
  const logFile = logFileOf(cluster);
  const saidBefore = readLog(logFile).length;
  await server.start({
    command: cluster.binaries.postgres,
    args: ["-D", join(cluster.home, "data"), ...settingFlags(cluster.options, port)],
    cwd: cluster.home,
    env: serverEnvironment(cluster.home),
    logFile,
    ...cluster.account,
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const refusal = await tryQuery(urlFor(cluster, port, "postgres"));
    if (refusal === undefined) return;
    if (server.exit || performance.now() > deadline) {
      if (!server.exit) await server.kill("SIGQUIT");
      throw notStarted(readLog(logFile).slice(saidBefore), port, refusal);
    }
    await sleep(20);
  }
}

function settingFlags(options: PostgresOptions, port: number): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(options.durability === "none" && {
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
    }),
    ...options.settings,
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function tryQuery(connectionString: string): Promise<Error | undefined> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return undefined;
  } catch (error) {
    return toError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function notStarted(log: string, port: number, refusal: Error): AfterhoursError {
  if (log.includes("Address already in use")) {
    return new AfterhoursError("PORT_TAKEN", `Port ${port} on 127.0.0.1 is taken.`, {
      remedy: "Give another --port, or none to take a free one.",
    });
  }
  const said = log.split("\n").filter((line) => /FATAL|ERROR|could not|HINT/.test(line));
  const reason = said.length > 0 ? said.slice(0, 6).join("\n") : refusal.message;
  return new AfterhoursError("POSTGRES_NOT_STARTED", `PostgreSQL did not start:\n${reason}`, {
    cause: refusal,
  });
}

function readLog(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
}

function logFileOf(cluster: Cluster): string {
  return join(cluster.home, "postgres.log");
}

function urlFor(cluster: Cluster, port: number, database: string): string {
  return `postgresql://postgres:${cluster.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** Only the variables that the server needs: settings of ours such as PGDATA or PGPORT must not reach it. */
function serverEnvironment(home: string): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: home, LC_ALL: "C", TZ: "UTC" };
}
