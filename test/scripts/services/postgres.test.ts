import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { startPostgres } from "../../../scripts/dev/services/postgres.ts";
import { startScript } from "../../support/run-script.ts";
import { waitUntilGone, waitUntilNobodyListens } from "./gone.ts";

async function queryIn(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("startPostgres", () => {
  it("listens on loopback only, demands its password, and leaves nothing when stopped", async () => {
    const server = await startPostgres({ durability: "none" });
    const settings = `SELECT current_setting('listen_addresses') AS addresses,
      current_setting('unix_socket_directories') AS sockets, current_setting('fsync') AS fsync,
      current_setting('max_connections') AS sessions`;
    expect(await queryIn(server.url, settings)).toEqual([
      { addresses: "127.0.0.1", sockets: "", fsync: "off", sessions: "200" },
    ]);
    const wrong = new URL(server.url);
    wrong.password = "wrong";
    await expect(queryIn(wrong.href, "SELECT 1")).rejects.toThrow("password authentication failed");

    const home = dirname(server.logFile);
    expect(statSync(home).mode & 0o077).toBe(0);
    await server.stop();
    await server.stop();
    expect(existsSync(home)).toBe(false);
    await waitUntilNobodyListens(server.url);
  });

  it("has small databases in memory where there is room, and leaves nothing there", async () => {
    const server = await startPostgres({ durability: "none", inMemory: true });
    const home = dirname(server.logFile);
    expect(await queryIn(server.url, "SHOW data_directory")).toEqual([
      { data_directory: join(home, "data") },
    ]);
    if (process.platform === "linux") {
      const { bavail, bsize } = statfsSync("/dev/shm");
      // Much less or much more than it needs: others use that memory as well.
      if (bavail * bsize < 2 ** 30) expect(dirname(home)).not.toBe("/dev/shm");
      if (bavail * bsize > 4 * 2 ** 30) expect(dirname(home)).toBe("/dev/shm");
    }
    await server.stop();
    expect(existsSync(home)).toBe(false);
  });

  it("keeps what was committed when it is killed and started again", async () => {
    const server = await startPostgres({ settings: { log_connections: "on" } });
    await queryIn(server.url, "CREATE TABLE kept AS SELECT 42 AS answer");
    await server.kill("SIGKILL");
    await expect(queryIn(server.url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
    await server.restart();
    expect(await queryIn(server.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    await server.stop();
  });

  it("opens a data directory again with the same password, and refuses to open it twice", async () => {
    const parent = openDirectory();
    const dataDir = join(parent, "kept");
    try {
      const first = await startPostgres({ dataDir });
      await queryIn(first.url, "CREATE TABLE kept (id int)");
      await expect(startPostgres({ dataDir })).rejects.toThrow("lock file");
      await first.stop();
      const second = await startPostgres({ dataDir, port: first.port });
      expect(second.url).toBe(first.url);
      expect(await queryIn(second.url, "SELECT * FROM kept")).toEqual([]);
      await second.stop();
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  it("says that the port is taken", async () => {
    const first = await startPostgres({ durability: "none" });
    await expect(startPostgres({ durability: "none", port: first.port })).rejects.toMatchObject({
      code: "PORT_TAKEN",
      message: `Port ${first.port} on 127.0.0.1 is taken.`,
    });
    await first.stop();
  });

  it("says what PostgreSQL said when it does not start", async () => {
    const settings = { max_connections: "none" };
    await expect(startPostgres({ durability: "none", settings })).rejects.toThrow(
      'invalid value for parameter "max_connections"',
    );
  });
});

describe("a process that started servers", () => {
  it.each(["SIGKILL", "SIGTERM"] as const)("takes them with it when %s ends it", async (signal) => {
    const script = startScript("test/scripts/services/hold-servers.ts", { args: ["--wait"] });
    const { postgres, log } = serversOf(await script.printed("}\n"));
    script.process.kill(signal);
    await script.ended;
    await waitUntilNobodyListens(postgres);
    await waitUntilGone(dirname(log));
  });

  it("can end by itself without stopping them", async () => {
    const script = startScript("test/scripts/services/hold-servers.ts");
    const { exitCode, stdout } = await script.ended;
    expect(exitCode).toBe(0);
    const { postgres, log } = serversOf(stdout);
    await waitUntilNobodyListens(postgres);
    await waitUntilGone(dirname(log));
  });
});

function serversOf(stdout: string): { postgres: string; log: string } {
  return JSON.parse(stdout.slice(stdout.indexOf("{"))) as { postgres: string; log: string };
}

/** Root runs the server as another user, who must be able to come this far. */
function openDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "afterhours-test-"));
  chmodSync(directory, 0o755);
  return directory;
}
