/** Whether the money adds up, asked with a login that no job has: `npm run ledger:audit`. See docs/security.md. */
import { openDatabase, type Db } from "../../lib/db/client.ts";
import { auditBooks, type Answer } from "../../lib/ledger/audit/audit-books.ts";
import { present } from "../../lib/support/environment.ts";
import { istMinute } from "../../lib/support/calendar.ts";
import { counted } from "../../lib/support/counted.ts";
import { formatRupees } from "../../lib/support/money.ts";
import { requireDatabaseUrl } from "./frame/database-url.ts";
import { EXIT } from "./frame/command-line.ts";
import { onDatabase, operatorCommand } from "./frame/command.ts";
import { printOne } from "./frame/print.ts";

const { program, run } = operatorCommand(
  "ledger-audit",
  "Holds payouts, refunds, wallets, tax and books against sales and payees, which no job can write. Only reads.",
);
program
  .option("--json", "one JSON object")
  .addHelpText(
    "after",
    "\nReads AUDIT_DATABASE_URL, else DATABASE_URL. Give it a login of the group afterhours_readonly." +
      "\n\nExit status: 0 everything adds up; 1 something does not, or it was not asked; 2 used wrongly.",
  )
  .action(async ({ json = false }: { json?: boolean }) => {
    const env = process.env;
    const address = present(env, "AUDIT_DATABASE_URL") ?? present(env, "DATABASE_URL");
    const url = requireDatabaseUrl({ ...env, DATABASE_URL: address });
    const options = { url, applicationName: "afterhours ledger audit", readOnly: true };
    await onDatabase(openDatabase({ ...options, connections: 1 }), url, async (db) => {
      const login = await readLogin(db);
      const answers = await auditBooks(db);
      const lines = (): string[] => [...heading(login), ...answers.flatMap(linesOf)];
      printOne({ ...login, answers }, { json, lines });
      const broken = answers.filter(({ count }) => count > 0);
      if (broken.length === 0) return;
      process.exitCode = EXIT.notDone;
      console.error(
        `\n${counted(broken.length, "rule is", "rules are")} broken. Money may have gone where it should not. ` +
          "Stop the payouts (npm run maintenance -- offline --reason TEXT), " +
          "then see docs/runbooks.md#the-audit-of-the-books-is-red.",
      );
    });
  });

interface Login {
  login: string;
  /** Such a login can also write the rows that this command reads. */
  canWrite: boolean;
}

async function readLogin(db: Db): Promise<Login> {
  const [row] = await db.query<Login[]>`
    SELECT session_user::text AS login, bool_or(
      has_table_privilege(oid, 'INSERT') OR has_table_privilege(oid, 'UPDATE')
      OR has_any_column_privilege(oid, 'INSERT') OR has_any_column_privilege(oid, 'UPDATE')) AS "canWrite"
    FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`;
  return row ?? { login: "", canWrite: true };
}

function heading({ login, canWrite }: Login): string[] {
  return [
    `Audit of the books, ${istMinute(new Date())} IST, as ${login}`,
    ...(canWrite
      ? [
          "warning: this login can write. Whoever has it can make this page green; use one of afterhours_readonly.",
        ]
      : []),
    "",
  ];
}

function linesOf({ code, title, count, breaches }: Answer): string[] {
  if (count === 0) return [`ok     ${title}`];
  const more = count - breaches.length;
  return [
    `WRONG  ${title} (${code}, ${count})`,
    ...breaches.map(
      ({ subject, expectedPaise, actualPaise }) =>
        `         ${subject}: ${formatRupees(actualPaise)}, expected ${formatRupees(expectedPaise)}`,
    ),
    ...(more > 0 ? [`         and ${more} more`] : []),
  ];
}

await run();
