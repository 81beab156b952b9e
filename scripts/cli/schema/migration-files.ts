import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type {
  MigrationDirectory,
  MigrationList,
  SchemaContainer,
} from "@prisma/schema-engine-wasm";
import { AfterhoursError } from "../../../lib/support/errors.ts";

/** Where the schema and its migrations lie. */
export interface SchemaFolders {
  schemaDir: string;
  migrationsDir: string;
}

/** This repository's own. */
export const OUR_FOLDERS: SchemaFolders = {
  schemaDir: fileURLToPath(new URL("../../../prisma/schema", import.meta.url)),
  migrationsDir: fileURLToPath(new URL("../../../prisma/migrations", import.meta.url)),
};

/** Every `.prisma` file of the schema, in the order of names. */
export function readSchema({ schemaDir }: SchemaFolders): SchemaContainer[] {
  const names = readdirSync(schemaDir).filter((name) => name.endsWith(".prisma"));
  return names.sort().map((name) => {
    const path = join(schemaDir, name);
    return { path, content: readFileSync(path, "utf8") };
  });
}

/** The migrations in the order in which they are applied, which is that of their names. */
export function readMigrations({ migrationsDir }: SchemaFolders): MigrationList {
  const lockfile = join(migrationsDir, "migration_lock.toml");
  return {
    baseDir: migrationsDir,
    lockfile: {
      path: "migration_lock.toml",
      content: existsSync(lockfile) ? readFileSync(lockfile, "utf8") : null,
    },
    shadowDbInitScript: "",
    migrationDirectories: readdirSync(migrationsDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
      .map((name) => readMigration(migrationsDir, name)),
  };
}

function readMigration(migrationsDir: string, name: string): MigrationDirectory {
  const file = join(migrationsDir, name, "migration.sql");
  if (!existsSync(file)) {
    throw new AfterhoursError("MIGRATION_UNREADABLE", `${file} is missing.`, {
      remedy: "Every folder below prisma/migrations holds one migration.sql.",
    });
  }
  const content = readFileSync(file, "utf8");
  return {
    path: name,
    migrationFile: { path: "migration.sql", content: { tag: "ok", value: content } },
  };
}
