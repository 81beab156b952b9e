import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import type {
  DiffTarget,
  MigrationList,
  SchemaContainer,
  SchemaEngine,
} from "@prisma/schema-engine-wasm";
import { SQLSTATE } from "../../../lib/db/sqlstate.ts";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";
import { EngineAdapterFactory } from "./engine-adapter.ts";
import { loadEngine } from "./load-engine.ts";

/**
 * Prisma's migration engine on one database, until it is closed. A refusal is thrown as an AfterhoursError with
 * Prisma's own code (`P3009` …) where there is one, `LOCK_NOT_TAKEN` where it waited too long for a lock, else
 * `SCHEMA_ENGINE`.
 */
export interface OpenEngine {
  /** Applies missing migrations, in order, and returns their names. */
  applyMigrations(migrations: MigrationList): Promise<string[]>;
  /** Names of the migrations that began here and did not finish. */
  failedMigrations(migrations: MigrationList): Promise<string[]>;
  /** Takes a failed migration off the books, so that it is tried again. */
  markRolledBack(migrationName: string): Promise<void>;
  /** The SQL that leads from one state to the other; empty when there is none. */
  diff(from: DiffTarget, to: DiffTarget): Promise<string>;
  close(): Promise<void>;
}

interface EngineOptions {
  url: string;
  schema: SchemaContainer[];
  /**
   * True for an empty database made for the purpose: the engine then replays migrations in it to see their
   * result. In any other database that would be damage, and is refused.
   */
  isScratch: boolean;
}

const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** Opens Prisma's migration engine on one database. */
export async function openSchemaEngine(options: EngineOptions): Promise<OpenEngine> {
  const factory = new EngineAdapterFactory(options);
  const { SchemaEngine } = await loadEngine();
  const engine: SchemaEngine = await SchemaEngine.new(
    { datamodels: options.schema.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  ).catch(async (error: unknown) => {
    await factory.close();
    throw error;
  });
  return {
    applyMigrations: async (migrationsList) => {
      const input = { migrationsList, filters: NO_FILTERS };
      return (await answer(engine.applyMigrations(input), factory)).appliedMigrationNames;
    },
    failedMigrations: async (migrationsList) => {
      const input = { migrationsList, filters: NO_FILTERS, optInToShadowDatabase: false };
      return (await answer(engine.diagnoseMigrationHistory(input), factory)).failedMigrationNames;
    },
    markRolledBack: async (migrationName) => {
      await answer(engine.markMigrationRolledBack({ migrationName }), factory);
    },
    diff: async (from, to) => {
      const input = { from, to, script: true, exitCode: true, filters: NO_FILTERS };
      const { exitCode, stdout } = await answer(engine.diff(input), factory);
      return exitCode === 0 ? "" : (stdout ?? "");
    },
    close: async () => {
      engine.free();
      await factory.close();
    },
  };
}

/** The engine appends its own call stack to a message, one `   0: module` per line. */
async function answer<T>(asked: Promise<T>, factory: EngineAdapterFactory): Promise<T> {
  factory.takeSqlState();
  try {
    return await asked;
  } catch (cause) {
    const text = toError(cause).message.split(/\n[ \t]+0: /)[0] ?? "";
    const message = text.replace(
      /^(external connector error|Error querying the database:)\s*/gm,
      "",
    );
    const code =
      factory.takeSqlState() === SQLSTATE.lockNotAvailable ? "LOCK_NOT_TAKEN" : errorCode(cause);
    throw new AfterhoursError(code ?? "SCHEMA_ENGINE", message.trim(), { cause });
  }
}
