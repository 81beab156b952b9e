import pg from "pg";
import { describe, expect, it } from "vitest";
import { runScript, startScript } from "../../support/run-script.ts";
import { waitUntilNobodyListens } from "./gone.ts";

const SERVICES = "scripts/dev/services/main.ts";

function exported(name: string, stdout: string): string {
  const value = new RegExp(`^export ${name}='([^']+)'$`, "m").exec(stdout)?.[1];
  if (value === undefined) throw new Error(`no ${name} in: ${stdout}`);
  return value;
}

describe("npm run services", () => {
  it("prints a migrated database, and ends it on Ctrl-C", async () => {
    const script = startScript(SERVICES);
    const url = exported("DATABASE_URL", await script.printed("Running until Ctrl-C"));
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    const { rows } = await client.query("SELECT count(*)::int AS payouts FROM payouts");
    expect(rows).toEqual([{ payouts: 0 }]);
    script.process.kill("SIGINT");
    expect(await script.ended).toMatchObject({ exitCode: 0, stderr: "" });
    await waitUntilNobodyListens(url);
    await client.end().catch(() => undefined);
  });

  it("leaves the database empty when told not to migrate", async () => {
    const script = startScript(SERVICES, { args: ["--no-migrate"] });
    const url = exported("DATABASE_URL", await script.printed("Running until Ctrl-C"));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("SELECT to_regclass('payouts') AS payouts");
    expect(rows).toEqual([{ payouts: null }]);
    await client.end();
    script.process.kill("SIGTERM");
    await script.ended;
  });

  it("leaves nothing running when it is interrupted while it starts", async () => {
    const script = startScript(SERVICES);
    const url = exported("DATABASE_URL", await script.printed("export DATABASE_URL"));
    script.process.kill("SIGINT");
    expect(await script.ended).toMatchObject({ exitCode: 0 });
    await waitUntilNobodyListens(url);
  });

  it.each([["0"], ["65536"], ["1e3"], ["x"]])("refuses --port %s", async (port) => {
    const { exitCode, stderr } = await runScript(SERVICES, { args: ["--port", port] });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Expected a number from 1 to 65535");
  });

  it("explains itself", async () => {
    const { exitCode, stdout } = await runScript(SERVICES, { args: ["--help"] });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("--data-dir <folder>");
  });
});
