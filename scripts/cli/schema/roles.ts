import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { isMissingSchema, isPermissionDenied } from "../../../lib/db/sqlstate.ts";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";
import { connectAdmin, describeServer } from "../frame/database-url.ts";

/** The rights of `prisma/roles.sql`, as plain SQL that is one transaction. */
const ROLES_FILE = fileURLToPath(new URL("../../../prisma/roles.sql", import.meta.url));

/**
 * The groups that it makes; a login is a member of one of them or of several. All others are members of the
 * last.
 */
export const GROUPS = [
  "afterhours_readonly",
  "afterhours_jobs",
  "afterhours_payees",
  "afterhours_approvers",
  "afterhours_tax",
  "afterhours_operators",
] as const;
export type Group = (typeof GROUPS)[number];

interface RolesOptions {
  /** Of the owner of the database, or a superuser. */
  url: string;
  /** Called for PostgreSQL's warnings, and for rights that could not be taken away. */
  say?: (line: string) => void;
}

/**
 * Makes the roles of `prisma/roles.sql` where they are missing, and gives them exactly the rights that it names. Can be
 * repeated, and two at once are safe.
 *
 * @throws AfterhoursError DATABASE_UNREACHABLE, ROLES_NOT_APPLIED
 */
export async function applyRoles({ url, say }: RolesOptions): Promise<void> {
  const admin = await connectAdmin(url);
  admin.on("notice", ({ severity, message }) => {
    if (severity === "WARNING") say?.(`PostgreSQL warns: ${message ?? ""}`);
    else if (severity === "NOTICE") say?.(`Not taken away: ${message ?? ""}`);
  });
  try {
    await requireOwner(admin);
    await admin.query(readFileSync(ROLES_FILE, "utf8"));
  } catch (error) {
    throw new AfterhoursError(
      "ROLES_NOT_APPLIED",
      `The rights of ${describeServer(url)} are as they were: ${toError(error).message}`,
      { remedy: remedyOf(error), cause: error },
    );
  } finally {
    await admin.end();
  }
}

/**
 * A role without ownership gets a hundred warnings from PostgreSQL, one for each column, and no error.
 *
 * @throws AfterhoursError ROLES_NOT_OWNER
 */
async function requireOwner(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ role: string; what: string }>(
    `SELECT current_user AS role, format('%s %I', kind, name) AS what
     FROM (
       SELECT 1 AS place, 'database' AS kind, datname AS name, datdba AS owner
       FROM pg_database WHERE datname = current_database()
       UNION ALL
       SELECT 2, CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, relname, relowner
       FROM pg_class
       WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p', 'v', 'm', 'S')
     ) AS owned
     WHERE NOT pg_has_role(owner, 'USAGE')
     ORDER BY place, name LIMIT 1`,
  );
  const [missing] = rows;
  if (missing === undefined) return;
  throw new AfterhoursError(
    "ROLES_NOT_OWNER",
    `permission denied: role ${missing.role} is not the owner of ${missing.what}`,
  );
}

function remedyOf(error: unknown): string {
  if (isMissingSchema(error)) return "Run `npm run db:migrate` first.";
  if (isPermissionDenied(error) || errorCode(error) === "ROLES_NOT_OWNER") {
    return "Run it as the owner of the database, with the right to create roles while they are missing.";
  }
  const hint = error instanceof pg.DatabaseError ? error.hint : undefined;
  return hint ?? "Look at the message of PostgreSQL; nothing was changed.";
}
