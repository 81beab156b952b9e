import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../../lib/support/clock.ts";
import { AfterhoursError } from "../../../lib/support/errors.ts";
import { writePrivateFile } from "../../../lib/support/private-file.ts";
import { environmentOf, type ProgramBinary } from "./debian-program.ts";
import { onFreePort } from "./free-port.ts";
import { fetchRedis, findRedis } from "./redis-binary.ts";
import { SupervisedServer } from "./supervised.ts";

export interface RedisOptions {
  /** Is told when a server has to be fetched first. */
  say?: (line: string) => void;
  /** Further lines of its configuration, as `{ maxmemory: "1mb" }`. */
  settings?: Record<string, string>;
}

export interface RunningRedis {
  /** With the password in it. */
  readonly url: string;
  readonly port: number;
  /** Ends the server as a signal does; its data is lost, as nothing is kept on disk. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** Starts it again, empty, on the same port. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const READY_WITHIN_MS = 20_000;

/**
 * Starts a real Redis on 127.0.0.1 on a free port: nothing on disk, a password made for this run. It ends with
 * this process, even if this process is killed.
 *
 * @throws AfterhoursError when there is no redis-server and none can be fetched
 */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const binary = findRedis() ?? fetchRedis(options);
  const home = mkdtempSync(join(tmpdir(), "afterhours-redis-"));
  const server = new SupervisedServer({ stopSignals: ["SIGTERM"], removeAtEnd: [home] });
  const password = randomBytes(24).toString("hex");
  const { settings = {} } = options;
  const parts = { binary, home, password, server, settings };
  try {
    const port = await onFreePort(
      (free) => startOn(parts, free),
      () => readLog(home).includes("bind:"),
    );
    return {
      url: `redis://:${password}@127.0.0.1:${port}`,
      port,
      kill: (signal) => server.kill(signal),
      restart: () => startOn(parts, port),
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

interface Parts {
  binary: ProgramBinary;
  home: string;
  password: string;
  server: SupervisedServer;
  settings: Record<string, string>;
}

/** Starts the server and waits until it accepts the password. */
async function startOn(parts: Parts, port: number): Promise<void> {
  const { binary, home, password, server, settings } = parts;
  const configuration = join(home, "redis.conf");
  writePrivateFile(configuration, configurationText({ port, password, home, settings }));
  await server.start({
    command: binary.command,
    args: [configuration],
    cwd: home,
    env: environmentOf(binary),
    logFile: join(home, "redis.log"),
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await accepts(port, password))) {
    if (server.exit || performance.now() > deadline) {
      if (!server.exit) await server.kill("SIGKILL");
      const said = readLog(home).trim().split("\n").slice(-5).join("\n");
      throw new AfterhoursError("REDIS_NOT_STARTED", `redis-server did not start:\n${said}`);
    }
    await sleep(20);
  }
}

/** The password is in a file that only we can read, never in the list of processes. */
function configurationText(
  values: Pick<Parts, "password" | "home" | "settings"> & { port: number },
): string {
  return [
    `port ${values.port}`,
    "bind 127.0.0.1",
    `requirepass ${values.password}`,
    `dir "${values.home}"`,
    'save ""',
    "appendonly no",
    "daemonize no",
    "databases 16",
    "loglevel notice",
    ...Object.entries(values.settings).map(([name, value]) => `${name} ${value}`),
    "",
  ].join("\n");
}

function accepts(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1", timeout: 2_000 });
    const answer = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", () => socket.write(`AUTH ${password}\r\n`));
    socket.once("data", (data) => answer(data.toString().startsWith("+OK")));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
    socket.once("timeout", () => answer(false));
  });
}

function readLog(home: string): string {
  try {
    return readFileSync(join(home, "redis.log"), "utf8");
  } catch {
    return "";
  }
}
