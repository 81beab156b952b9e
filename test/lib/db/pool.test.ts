import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openControlPool } from "../../../lib/db/pool.ts";
import { freePort } from "../../../scripts/dev/services/free-port.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { createLogins } from "../../support/roles.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { DatabasePermissionError, DatabaseUnreachableError } from "../../../lib/db/errors.ts";

const random = (): number => 0;

describe("the control session", () => {
  let database: TestDatabase;
  beforeEach(async () => void (database = await createTestDatabase()));
  afterEach(async () => {
    vi.useRealTimers();
    await database.drop();
  });
  const options = (url = database.url) => ({
    url,
    applicationName: "afterhours tests/pool control",
    readOnly: false,
  });

  it("is one session", async () => {
    const pool = await openControlPool(options(), { random });
    try {
      const pids = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
          return rows[0]?.pid;
        }),
      );
      expect(new Set(pids).size).toBe(1);
    } finally {
      await pool.end();
    }
  });

  it("is replaced when the database ends it", async () => {
    const pool = await openControlPool(options(), { random });
    try {
      const pid = async (): Promise<number | undefined> =>
        (await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid;
      const first = await pid();
      const removed = new Promise((resolve) => pool.once("remove", resolve));
      await database.query("SELECT pg_terminate_backend($1)", [first]);
      await removed;
      expect(await pid()).not.toBe(first);
    } finally {
      await pool.end();
    }
  });

  it("gives up a question to a server that has fallen silent", async () => {
    const proxy = await openTcpProxy(database.url);
    try {
      const pool = await openControlPool(options(proxy.through(database.url)), { random });
      proxy.silence();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const asked = expect(pool.query("SELECT 1")).rejects.toThrow(/timeout/i);
      await vi.advanceTimersByTimeAsync(60_000);
      await asked;
      vi.useRealTimers();
      await pool.end();
    } finally {
      await proxy.close();
    }
  });

  it("of a role that may not connect is refused at once, and the error names the role", async () => {
    const logins = await createLogins(database);
    try {
      const { url, name } = await logins.login("afterhours_jobs");
      await database.query(`
        REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC;
        REVOKE CONNECT ON DATABASE ${database.name} FROM afterhours_readonly`);
      const onRetry = vi.fn();
      const opening = openControlPool(options(url), { random, onRetry });
      await expect(opening).rejects.toThrow(DatabasePermissionError);
      await expect(opening).rejects.toThrow(
        `refuses this to role "${name}": permission denied for database "${database.name}"`,
      );
      expect(onRetry).not.toHaveBeenCalled();
    } finally {
      await logins.drop();
    }
  });

  it("that cannot be opened is an error that names the address, after three attempts", async () => {
    const port = await freePort();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const attempts: number[] = [];
    const opening = openControlPool(options(`postgres://app:s3cret@127.0.0.1:${port}/afterhours`), {
      random,
      onRetry: ({ attempt, waitMs }) => {
        attempts.push(attempt);
        setImmediate(() => void vi.advanceTimersByTimeAsync(waitMs));
      },
    });
    await expect(opening).rejects.toThrow(DatabaseUnreachableError);
    await expect(opening).rejects.toThrow(
      `the database at 127.0.0.1:${port}/afterhours cannot be reached (ECONNREFUSED)`,
    );
    expect(attempts).toEqual([1, 2]);
  });
});
