import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SchemaFolders } from "../../../scripts/cli/schema/migration-files.ts";
import { OUR_FOLDERS } from "../../../scripts/cli/schema/migration-files.ts";

/** A copy of this repository's schema and migrations that a test may change. */
export function copyOfOurFolders(): SchemaFolders & { remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "afterhours-migrations-"));
  const folders = { schemaDir: join(root, "schema"), migrationsDir: join(root, "migrations") };
  cpSync(OUR_FOLDERS.schemaDir, folders.schemaDir, { recursive: true });
  cpSync(OUR_FOLDERS.migrationsDir, folders.migrationsDir, { recursive: true });
  return { ...folders, remove: () => rmSync(root, { recursive: true }) };
}

/** Adds or replaces a migration; its name decides its place. */
export function writeMigration(folders: SchemaFolders, name: string, sql: string): void {
  mkdirSync(join(folders.migrationsDir, name), { recursive: true });
  writeFileSync(join(folders.migrationsDir, name, "migration.sql"), sql);
}
