import { chownSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import pg from "pg";
import { sleep } from "../../lib/support/clock.ts";
import {
  environmentOf,
  fetchProgram,
  findProgram,
  type DebianProgram,
  type ProgramBinary,
} from "../../scripts/dev/services/debian-program.ts";
import { freePort } from "../../scripts/dev/services/free-port.ts";
import { makeServerDirectory, serverAccount } from "../../scripts/dev/services/server-account.ts";
import { SupervisedServer } from "../../scripts/dev/services/supervised.ts";

const PGBOUNCER: DebianProgram = {
  name: "pgbouncer",
  folder: "usr/sbin",
  notFound: "PGBOUNCER_NOT_FOUND",
  remedy: "Install it (Debian, Ubuntu: apt-get install pgbouncer).",
};
const READY_WITHIN_MS = 20_000;

export interface PoolerOptions {
  mode: "session" | "transaction" | "statement";
  /** Default: the startup options of a session are thrown away, which a pooler is told to do most often. */
  ignores?: readonly string[];
  /** Sessions of the server. Default 4. */
  poolSize?: number;
}

export interface TestPooler {
  /** The same database, user and password, through the pooler. */
  url: string;
  stop: () => Promise<void>;
}

/**
 * A real PgBouncer before the server of a database. It gives the server's sessions out in turn, so that
 * a client has another one in each transaction whenever there are several.
 */
export async function startPgBouncer(
  databaseUrl: string,
  { mode, ignores = ["extra_float_digits", "options"], poolSize = 4 }: PoolerOptions,
): Promise<TestPooler> {
  const found = findProgram(PGBOUNCER) ?? fetchProgram(PGBOUNCER, { say: console.log });
  const account = serverAccount();
  const home = makeServerDirectory("afterhours-pgbouncer-", account);
  const binary = reachable(found, home);
  const server = new SupervisedServer({ stopSignals: ["SIGINT", "SIGQUIT"], removeAtEnd: [home] });
  const target = new URL(databaseUrl);
  const port = await freePort();
  const user = decodeURIComponent(target.username);
  const file = (name: string, text: string): string => {
    const path = join(home, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (account.uid !== undefined) chownSync(path, account.uid, account.gid);
    return path;
  };
  const users = file("users.txt", `"${user}" "${decodeURIComponent(target.password)}"\n`);
  const configuration = file(
    "pgbouncer.ini",
    [
      "[databases]",
      `* = host=${target.hostname} port=${target.port}`,
      "[pgbouncer]",
      `listen_addr = 127.0.0.1`,
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = scram-sha-256",
      `auth_file = ${users}`,
      `pool_mode = ${mode}`,
      `default_pool_size = ${poolSize}`,
      "server_round_robin = 1",
      `ignore_startup_parameters = ${ignores.join(", ")}`,
      "",
    ].join("\n"),
  );
  const logFile = join(home, "pgbouncer.log");
  await server.start({
    command: binary.command,
    args: [configuration],
    cwd: home,
    env: environmentOf(binary),
    logFile,
    ...account,
  });
  const url = new URL(databaseUrl);
  url.port = String(port);
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await answers(url.href))) {
    if (server.exit || performance.now() > deadline) {
      const said = readFileSync(logFile, "utf8");
      await server.stop();
      throw new Error(`pgbouncer did not start:\n${said}`);
    }
    await sleep(50);
  }
  return { url: url.href, stop: () => server.stop() };
}

/** PgBouncer does not run as root, and the account that it runs as may not be able to enter our own folders. */
function reachable(binary: ProgramBinary, home: string): ProgramBinary {
  if (binary.libraryPath === undefined || process.getuid?.() !== 0) return binary;
  const copy = join(home, "program");
  mkdirSync(copy, { mode: 0o755 });
  const command = join(copy, PGBOUNCER.name);
  copyFileSync(binary.command, command);
  for (const folder of binary.libraryPath.split(delimiter).filter((name) => name !== "")) {
    cpSync(folder, copy, { recursive: true, dereference: true });
  }
  return { command, libraryPath: copy };
}

/** Also a refusal in its own words is an answer. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    return error instanceof pg.DatabaseError;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Opens as many sessions of the server as the pooler may have, and changes something in each, as another program
 * that shares the pool does.
 */
export async function spoilSessions(url: string, statement: string, sessions = 4): Promise<void> {
  const clients = Array.from({ length: sessions }, () => new pg.Client({ connectionString: url }));
  try {
    for (const client of clients) await client.connect();
    // All are in a transaction at once, so that each has a session of its own.
    for (const client of clients) await client.query("BEGIN");
    for (const client of clients) await client.query(statement);
    for (const client of clients) await client.query("COMMIT");
  } finally {
    for (const client of clients) await client.end();
  }
}
