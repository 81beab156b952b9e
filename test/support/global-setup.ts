import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { migrate } from "../../scripts/dev/migrate/apply.ts";
import { connectAdmin } from "../../scripts/cli/frame/database-url.ts";
import { startPostgres } from "../../scripts/dev/services/postgres.ts";
import { startRedis } from "../../scripts/dev/services/redis.ts";
import { bundleCommands } from "./commands.ts";
import { clearingStatement, schemaVersion } from "./database.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The superuser on the test server's database `postgres`. */
    postgresUrl: string;
    /** A migrated database that others are copied from. */
    templateDatabase: string;
    /** How the catalogs of a database are that no test has changed. */
    schemaVersion: string;
    /** Makes a database that tests wrote in as empty as a new one. */
    clearing: string;
    /** Tells the databases of this run from those of another on the same server. */
    runName: string;
    /** The folder of `scripts/` as bundles. */
    commands: string;
    /** Null when tests run without Redis. */
    redisUrl: string | null;
  }
}

const TEMPLATE = "afterhours_template";
const SET_UP = fileURLToPath(new URL("../../scripts/dev/setup.mjs", import.meta.url));

/** One PostgreSQL and one Redis for the whole run; every test makes its own database of them. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = [];
  const tearDown = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    // Processes of jobs run from bundles, which must be those of the source as it is now.
    execFileSync(process.execPath, [SET_UP], { stdio: "inherit" });
    const commands = await bundleCommands();
    stops.push(commands.remove);
    project.provide("commands", commands.folder);
    const postgresUrl = await findPostgresServer(stops);
    const template = await makeTemplate(postgresUrl);
    project.provide("schemaVersion", template.version);
    project.provide("clearing", template.clearing);
    project.provide("runName", randomUUID().slice(0, 8));
    project.provide("postgresUrl", postgresUrl);
    project.provide("templateDatabase", TEMPLATE);
    project.provide("redisUrl", await findRedisServer(stops));
    return tearDown;
  } catch (error) {
    await tearDown();
    throw error;
  }
}

/** The superuser on the server in TEST_POSTGRES_URL, else on one of our own. */
async function findPostgresServer(stops: (() => Promise<void>)[]): Promise<string> {
  const given = process.env["TEST_POSTGRES_URL"];
  if (given) return given;
  const postgres = await startPostgres({ durability: "none", inMemory: true });
  stops.push(postgres.stop);
  return postgres.url;
}

/** A database is copied only while nobody is connected to it, so nobody may connect. */
async function makeTemplate(adminUrl: string): Promise<{ version: string; clearing: string }> {
  const templateUrl = new URL(adminUrl);
  templateUrl.pathname = `/${TEMPLATE}`;
  const admin = await connectAdmin(adminUrl);
  try {
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
    await migrate({ url: templateUrl.href });
    const template = await connectAdmin(templateUrl.href);
    const version = await schemaVersion(template);
    const clearing = await clearingStatement(template);
    await template.end();
    await admin.query(`ALTER DATABASE ${TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
    return { version, clearing };
  } finally {
    await admin.end();
  }
}

/** The one in REDIS_URL, else one of our own; none when TEST_WITHOUT_REDIS=1 asks for that. */
async function findRedisServer(stops: (() => Promise<void>)[]): Promise<string | null> {
  if (process.env["TEST_WITHOUT_REDIS"] === "1") return null;
  const given = process.env["REDIS_URL"];
  if (given) return given;
  const redis = await startRedis({ say: console.log });
  stops.push(redis.stop);
  return redis.url;
}
