import { AfterhoursError, toError } from "../../../lib/support/errors.ts";
import { migrate } from "./apply.ts";
import { requireDatabaseUrl } from "../../cli/frame/database-url.ts";
import { schemaDrift } from "./drift.ts";
import { applyRoles, GROUPS } from "../../cli/schema/roles.ts";
import { NARROWEST_COLUMN, newCommand } from "../../cli/frame/command-line.ts";

/** Names of npm scripts that differ from the command. */
const SCRIPTS: Readonly<Record<string, string>> = { apply: "migrate", db: "<script>" };

const program = newCommand("db")
  // A person types `npm run db:migrate`, and the script passes `apply` on.
  .configureHelp({
    minWidthToWrap: NARROWEST_COLUMN,
    commandUsage: (command) =>
      `npm run db:${SCRIPTS[command.name()] ?? command.name()} -- [options]`,
  })
  .description("Migrations and roles of the database. No engine is downloaded for any of this.")
  .exitOverride();

program
  .command("apply")
  .description("apply the migrations that the database in DATABASE_URL lacks")
  .option("--rolled-back <name>", "first take this failed migration off the books")
  .action(async (options: { rolledBack?: string }) => {
    const url = requireDatabaseUrl(process.env);
    const applied = await migrate({ url, say: console.log, ...options });
    for (const name of applied) console.log(`Applied ${name}`);
    if (applied.length === 0) console.log("Nothing to apply: the database is up to date.");
  });

program
  .command("check")
  .description("compare the migrations with the schema; exit code 1 when they differ")
  .action(async () => {
    const sql = await schemaDrift({ serverUrl: optionalDatabaseUrl() });
    if (sql === "") {
      console.log("The migrations and prisma/schema agree.");
      return;
    }
    console.log(sql.trimEnd());
    console.error("The migrations do not lead to prisma/schema: the SQL above is missing.");
    process.exitCode = 1;
  });

program
  .command("diff")
  .description("print the SQL of the migration that the schema needs")
  .action(async () => {
    const sql = await schemaDrift({ serverUrl: optionalDatabaseUrl() });
    console.log(
      sql === "" ? "-- Nothing to do: the migrations lead to prisma/schema." : sql.trimEnd(),
    );
  });

program
  .command("roles")
  .description("make the roles of prisma/roles.sql, and give them the rights that it names")
  .action(async () => {
    await applyRoles({ url: requireDatabaseUrl(process.env), say: console.error });
    console.log(`${GROUPS.join(", ")}: their rights are those of prisma/roles.sql.`);
  });

/** Without DATABASE_URL a server is started; with it, a scratch database is made on its server. */
function optionalDatabaseUrl(): string | undefined {
  return process.env["DATABASE_URL"] ? requireDatabaseUrl(process.env) : undefined;
}

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = report(toError(thrown));
}

/** Exit code 2: called or configured wrongly; 1: it was tried and failed. */
function report(error: Error & { exitCode?: number }): number {
  if (error.exitCode !== undefined) return error.exitCode === 0 ? 0 : 2;
  console.error(error.message);
  if (!(error instanceof AfterhoursError)) return 1;
  if (error.remedy !== undefined) console.error(error.remedy);
  return error.code === "MISCONFIGURED" ? 2 : 1;
}
