import { randomUUID } from "node:crypto";
import { startPostgres } from "../services/postgres.ts";
import { connectAdmin } from "../../cli/frame/database-url.ts";

/**
 * Runs the work with the URL of an empty database, which is dropped afterwards. It lies on the
 * given server, whose user must be allowed to create databases; without one, on a PostgreSQL
 * that is started for the purpose.
 */
export async function withScratchDatabase<T>(
  serverUrl: string | undefined,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (serverUrl !== undefined) return withScratchOn(serverUrl, work);
  const server = await startPostgres({ durability: "none", inMemory: true });
  try {
    return await withScratchOn(server.url, work);
  } finally {
    await server.stop();
  }
}

async function withScratchOn<T>(serverUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `afterhours_scratch_${randomUUID().replaceAll("-", "")}`;
  const admin = await connectAdmin(serverUrl);
  try {
    // template0: a site's own objects in template1 are no part of our schema.
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    try {
      const url = new URL(serverUrl);
      url.pathname = `/${name}`;
      return await work(url.href);
    } finally {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  } finally {
    await admin.end();
  }
}
