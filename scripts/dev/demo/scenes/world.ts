import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { newSession } from "../../../../lib/db/session.ts";
import { istDay } from "../../../../lib/support/calendar.ts";
import { hours, systemClock } from "../../../../lib/support/clock.ts";
import { startMailSandbox, type MailSandbox } from "../../../sandbox/mail/index.ts";
import { startSandbox, type Sandbox } from "../../../sandbox/razorpay/index.ts";
import { migrate } from "../../migrate/apply.ts";
import { runChild } from "../child.ts";

export interface ScenesStage {
  root: string;
  /** Where files of the scenes are kept. */
  home: string;
  /** An empty database, as a superuser. */
  databaseUrl: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  say: (what: string) => void;
}

/** A marketplace for the scenes alone: a database, a provider and a mail server of its own. */
export interface World {
  url: string;
  home: string;
  sandbox: Sandbox;
  mails: MailSandbox;
  say: (what: string) => void;
  query: <Row extends pg.QueryResultRow>(sql: string, parameters?: unknown[]) => Promise<Row[]>;
  /** Runs a job as a process of its own. `red`: it has to end with 1, for a person to look at it. */
  job: (name: string, expected?: { red?: boolean; env?: Record<string, string> }) => Promise<void>;
  /** Runs an operator's command, `by` the demo. */
  command: (name: string, ...args: string[]) => Promise<void>;
  /** Prints the sentence that the database gives, and whether it is the expected one. */
  shows: (expected: string, sql: string, parameters?: unknown[]) => Promise<void>;
  /** The provider's time from now on is so many days ago. */
  providerIsBehind: (days: number) => void;
  /** Whether everything so far was as expected. */
  isAsExpected: () => boolean;
}

/** The commands that write down who used them. */
const SIGNED = new Set(["payouts", "plans", "import-earnings"]);
const DAY_MS = hours(24);

export async function openWorld(
  stage: ScenesStage,
): Promise<{ world: World; close: () => Promise<void> }> {
  const { root, home, databaseUrl: url, signal, say } = stage;
  let behindMs = 0;
  const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() - behindMs) };
  await migrate({ url });
  const sandbox = await startSandbox({ clock });
  const mails = await startMailSandbox({ saveTo: join(home, "mails-of-scenes") });
  const env = { ...stage.env, ...sandbox.env, ...mails.env, DATABASE_URL: url };
  let asExpected = true;
  const unexpected = (what: string): void => {
    asExpected = false;
    console.log(`  NOT AS EXPECTED: ${what}`);
  };
  const run = (args: readonly string[], more: Record<string, string> = {}): Promise<number> => {
    signal.throwIfAborted();
    return runChild(root, args, { env: { ...env, ...more }, signal, show: "stderr" });
  };
  const query: World["query"] = async <Row extends pg.QueryResultRow>(
    sql: string,
    parameters: unknown[] = [],
  ) => {
    const client = newSession({
      url,
      applicationName: "afterhours demo",
      readOnly: false,
      purpose: "administration",
    });
    await client.connect();
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    world: {
      url,
      home,
      sandbox,
      mails,
      say,
      query,
      job: async (name, { red = false, env: more } = {}) => {
        say(`Running jobs/${name}.ts`);
        const ended = await run([`jobs/${name}.ts`, "--log-level", "fatal"], more);
        if (ended !== (red ? 1 : 0)) unexpected(`it ended with exit code ${ended}`);
      },
      command: async (name, ...args) => {
        const by = SIGNED.has(name) && args[0] !== "statement" ? ["--by", "the demo"] : [];
        const ended = await run([`scripts/cli/${name}.ts`, ...args, ...by]);
        if (ended !== 0) unexpected(`the command ${name} ended with exit code ${ended}`);
      },
      shows: async (expected, sql, parameters) => {
        const [row] = await query<{ sentence: string }>(sql, parameters);
        const told = row?.sentence ?? "nothing";
        if (told === expected) console.log(`  ${told}`);
        else unexpected(`${told} (and not: ${expected})`);
      },
      providerIsBehind: (days) => (behindMs = days * DAY_MS),
      isAsExpected: () => asExpected,
    },
    close: async () => {
      await mails.close();
      await sandbox.close();
    },
  };
}

interface Sale {
  consultant: string;
  reference: string;
  daysAgo: number;
  /** In whole rupees, as the fee. */
  gross: number;
  fee: number;
  /** Made up, like every number here. Default: one for each consultant. */
  account?: string;
}

/** A finance export with these sales, imported. */
export async function importSales(
  world: World,
  { file, sales, flags = [] }: { file: string; sales: readonly Sale[]; flags?: readonly string[] },
): Promise<void> {
  const lines = sales.map(({ consultant, reference, daysAgo, gross, fee, account }) => {
    const number = consultant.slice(-3);
    const pan = `ZZDPS1${number}I`;
    const creditedOn = istDay(new Date(Date.now() - daysAgo * DAY_MS));
    return [
      ...[consultant, `Payee ${number}`, "individual", pan, "valid", "yes", "HDFC0001220"],
      ...[account ?? `90030000000${number}`, "", reference, creditedOn, `${gross}.00`, `${fee}.00`],
    ].join(",");
  });
  const path = join(world.home, file);
  await writeFile(path, [COLUMNS, ...lines, ""].join("\n"), { mode: 0o600 });
  await world.command("import-earnings", path, ...flags);
}

const COLUMNS =
  "consultant,name,category,pan,pan_status,aadhaar,ifsc,account_number,vpa,booking_reference,credit_date,gross,platform_fee";

/** Everything about payouts is so many days longer ago. Triggers are off: that time goes by is no change of a row. */
export async function letPayoutsAge({ query }: World, days: number): Promise<void> {
  const age = (table: string, ...columns: string[]): string =>
    `UPDATE ${table} SET ${columns.map((column) => `${column} = ${column} - interval '${days} days'`).join(", ")};`;
  await query(`
    SET session_replication_role = replica;
    ${age("payouts", "created_at", "updated_at", "approved_at", "claimed_at", "completed_at")}
    ${age("payout_attempts", "created_at", "settled_at")}
    ${age("ledger_transactions", "posted_at")}
    SET session_replication_role = DEFAULT`);
}

/** An amount of the database for a sentence. */
export const inRupees = (paise: string): string =>
  `'₹' || ltrim(to_char((${paise}) / 100.0, '99G99G990D00'))`;
