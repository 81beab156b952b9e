import type { SchemaFolders } from "../../cli/schema/migration-files.ts";
import { OUR_FOLDERS, readMigrations, readSchema } from "../../cli/schema/migration-files.ts";
import { openSchemaEngine } from "./schema-engine.ts";
import { withScratchDatabase } from "./scratch-database.ts";

interface DriftOptions {
  /** A server on which a scratch database may be made. Default: one is started. */
  serverUrl?: string | undefined;
  /** Default: this repository's. */
  folders?: SchemaFolders;
}

/**
 * The SQL that leads from the migrations' result to the schema; empty when both agree.
 *
 * Compares everything that the schema language can express: tables, columns, defaults, enums, keys and indexes
 * on whole columns. The engine ignores check constraints, partial and expression indexes, exclusion constraints,
 * triggers, functions and views, so these may exist in a migration alone. A plain, covering or `NULLS NOT
 * DISTINCT` index that only a migration knows does count.
 */
export async function schemaDrift(options: DriftOptions = {}): Promise<string> {
  const folders = options.folders ?? OUR_FOLDERS;
  const schema = readSchema(folders);
  const migrations = readMigrations(folders);
  return withScratchDatabase(options.serverUrl, async (url) => {
    const engine = await openSchemaEngine({ url, schema, isScratch: true });
    try {
      return await engine.diff(
        { tag: "migrations", ...migrations },
        { tag: "schemaDatamodel", files: schema },
      );
    } finally {
      await engine.close();
    }
  });
}
