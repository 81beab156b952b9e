import type { Db } from "../../../../lib/db/client.ts";
import { GROUPS } from "../../schema/roles.ts";
import { ok, warning, type CheckFinding } from "./finding.ts";

interface RoleFacts {
  role: string;
  isSuperuser: boolean;
  makesRoles: boolean;
  ownsTables: boolean;
  createsObjects: boolean;
  makesTemporary: boolean;
  writesLargeObjects: boolean;
  /** The groups whose rights it has. */
  groups: string[];
}

/** Whether the login can do more than a job needs. That works, and is a warning. */
export async function checkRole(db: Db): Promise<CheckFinding> {
  const [facts] = await db.query<RoleFacts[]>`
    SELECT rolname::text AS role, rolsuper AS "isSuperuser", rolcreaterole AS "makesRoles",
           EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                   AND pg_has_role(relowner, 'USAGE')) AS "ownsTables",
           has_schema_privilege('public', 'CREATE') AS "createsObjects",
           has_database_privilege(current_database(), 'TEMPORARY') AS "makesTemporary",
           has_function_privilege('pg_catalog.lo_create(oid)', 'EXECUTE') AS "writesLargeObjects",
           ARRAY(SELECT rolname::text FROM pg_roles
                 WHERE rolname = ANY (${GROUPS}::text[]) AND pg_has_role(oid, 'USAGE')) AS groups
    FROM pg_roles WHERE rolname = current_user`;
  const excess = [
    ...(facts?.isSuperuser ? ["is a superuser"] : []),
    ...(facts?.makesRoles && !facts.isSuperuser ? ["can make roles"] : []),
    ...(facts?.ownsTables && !facts.isSuperuser ? ["owns the tables"] : []),
    ...(facts?.createsObjects && !facts.isSuperuser ? ["can create objects"] : []),
  ];
  const role = facts?.role ?? "the login";
  if (excess.length > 0) {
    return warning(
      "role",
      `${role} ${excess.join(", ")}, which no job needs: give the jobs a login of their own (docs/security.md)`,
    );
  }
  if (facts?.groups.length === 0) {
    return warning("role", `${role} is no member of the roles of prisma/roles.sql`);
  }
  if (facts?.makesTemporary) {
    return warning(
      "role",
      `${role} can make temporary tables, which no job needs: run npm run db:roles as the owner of the database`,
    );
  }
  if (facts?.writesLargeObjects) {
    return warning(
      "role",
      `${role} can write large objects and fill the disk, which no job needs: npm run db:roles as a superuser takes that away`,
    );
  }
  const groups = widest(facts?.groups ?? []).join(" and ");
  return ok("role", `${role} may do what ${groups} may, and can not alter the schema`);
}

/** Those that are not within another one: the last group has all, the first is within each. */
function widest(groups: readonly string[]): readonly string[] {
  const [least] = GROUPS;
  const most = GROUPS.at(-1) ?? least;
  if (groups.includes(most)) return [most];
  const several = GROUPS.filter((group) => group !== least && groups.includes(group));
  return several.length > 0 ? several : [least];
}
