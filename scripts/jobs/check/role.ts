import type { Db } from "../../../lib/db/client.ts";
import { GROUPS } from "../../migrate/roles.ts";
import { ok, warning, type CheckFinding } from "./finding.ts";

interface RoleFacts {
  role: string;
  isSuperuser: boolean;
  makesRoles: boolean;
  ownsTables: boolean;
  createsObjects: boolean;
  member: string | null;
}

/** Each is a member of the next. */
const WIDEST_FIRST = [...GROUPS].reverse();

/** Whether the login can do more than a job needs. That works, and is a warning. */
export async function checkRole(db: Db): Promise<CheckFinding> {
  const [facts] = await db.query<RoleFacts[]>`
    SELECT rolname::text AS role, rolsuper AS "isSuperuser", rolcreaterole AS "makesRoles",
           EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                   AND pg_has_role(relowner, 'USAGE')) AS "ownsTables",
           has_schema_privilege('public', 'CREATE') AS "createsObjects",
           (SELECT rolname::text FROM pg_roles
            WHERE rolname = ANY (${WIDEST_FIRST}::text[]) AND pg_has_role(oid, 'USAGE')
            ORDER BY array_position(${WIDEST_FIRST}::text[], rolname::text) LIMIT 1) AS member
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
  if (facts?.member === null) {
    return warning("role", `${role} is no member of the roles of prisma/roles.sql`);
  }
  return ok("role", `${role} may do what ${facts?.member ?? ""} may, and can not alter the schema`);
}
