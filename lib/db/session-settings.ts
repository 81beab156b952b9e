/** The limits of a session: those of a job, or none for the owner's administration. */
export type SessionPurpose = "job" | "administration";

/** The rules that every session of ours must keep. */
export interface SessionRules {
  /** A stray write then fails with an error from PostgreSQL itself. */
  readOnly: boolean;
  /** Default: that of a job. */
  purpose?: SessionPurpose;
  /** How long a statement waits for a lock, as PostgreSQL writes it. Default: `2s` for a job, else without end. */
  rowWait?: string;
}

/** One setting of PostgreSQL that changes the meaning or the safety of a statement. */
interface SessionSetting {
  name: string;
  /** As `current_setting()` writes it. */
  value: string;
  /**
   * `startup`: asked for when the session is opened. `later`: not every version has it, so it is set once the
   * session is there. `read`: only a superuser may set it, or somebody set it on purpose; it must be so already.
   */
  set: "startup" | "later" | "read";
}

/** The oldest version of PostgreSQL that has all that is used, as `server_version_num` writes it. */
export const OLDEST_SERVER = 140_000;

/** How long a statement waits for a row that another session has locked. */
const LOCK_TIMEOUT = "2s";
/** No statement of a job is meant to take longer; one that does is stuck. */
const STATEMENT_TIMEOUT = "2min";
/** A session whose client vanished within a transaction would hold its rows for hours. */
const IDLE_IN_TRANSACTION_TIMEOUT = "2min";

/** The assumptions of our parsers and rules. A database, a role, an address or a pooler may differ. */
const MEANING: Readonly<Record<string, string>> = {
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  // The schema of temporary tables comes last: somebody else's must not stand in for a table of ours.
  search_path: "public, pg_temp",
  client_encoding: "UTF8",
  bytea_output: "hex",
  extra_float_digits: "1",
  standard_conforming_strings: "on",
  backslash_quote: "safe_encoding",
  array_nulls: "on",
  transform_null_equals: "off",
  quote_all_identifiers: "off",
  lc_monetary: "C",
  lc_numeric: "C",
  lc_time: "C",
  row_security: "on",
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  exit_on_error: "off",
  // With `off`, a payout that was committed and sent could be forgotten in a crash, and sent again.
  synchronous_commit: "on",
};

/** Every setting that a session of this kind must have. */
export function settingsFor({
  readOnly,
  purpose = "job",
  rowWait = purpose === "job" ? LOCK_TIMEOUT : "0",
}: SessionRules): readonly SessionSetting[] {
  const limits = purpose === "job";
  const startup: Readonly<Record<string, string>> = {
    ...MEANING,
    lock_timeout: rowWait,
    statement_timeout: limits ? STATEMENT_TIMEOUT : "0",
    idle_in_transaction_session_timeout: limits ? IDLE_IN_TRANSACTION_TIMEOUT : "0",
    ...(readOnly ? { default_transaction_read_only: "on" } : {}),
  };
  return [
    ...Object.entries(startup).map(([name, value]) => ({ name, value, set: "startup" as const })),
    { name: "idle_session_timeout", value: "0", set: "later" },
    { name: "transaction_timeout", value: "0", set: "later" },
    // With `replica` no trigger fires and no foreign key holds: our own guards would be asleep.
    { name: "session_replication_role", value: "origin", set: "read" },
    // A database or a login is read-only by intention: the session must not undo that.
    ...(readOnly
      ? []
      : [{ name: "default_transaction_read_only", value: "off", set: "read" as const }]),
  ];
}

/** Parameters of an address that `pg` would hand to the server as settings of the session, before or after ours. */
const NOT_THE_ADDRESS = [
  "options",
  "application_name",
  "fallback_application_name",
  "client_encoding",
  "encoding",
  "replication",
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
  "query_timeout",
];

/**
 * An address without its session options, and the startup options of the session. The address's own `options`
 * stay, since some hosts find the database by them (`endpoint=…`). Ours come after them: the last one of a name
 * counts.
 */
export function startupOf(
  url: string,
  rules: SessionRules,
): { connectionString: string; options: string } {
  const ours = settingsFor(rules)
    .filter(({ set }) => set === "startup")
    .map(({ name, value }) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`)
    .join(" ");
  const at = url.indexOf("?");
  const parameters = new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
  const theirs = parameters.get("options");
  const named = NOT_THE_ADDRESS.filter((name) => parameters.has(name));
  if (named.length === 0) return { connectionString: url, options: ours };
  for (const name of named) parameters.delete(name);
  const rest = parameters.toString();
  return {
    connectionString: `${url.slice(0, at)}${rest === "" ? "" : `?${rest}`}`,
    options: theirs ? `${theirs} ${ours}` : ours,
  };
}

/** The name and value of each column of a row that a statement below gave. */
export type SettingsRow = Readonly<Record<string, string | null>>;

/** Reads back the whole session: which process of the server has it, the server's version, and every setting. */
export function readBack(rules: SessionRules): string {
  const columns = settingsFor(rules).map(
    ({ name }) => `current_setting('${name}', true) AS "${name}"`,
  );
  return `SELECT pg_backend_pid() AS pid, current_setting('server_version_num') AS version, ${columns.join(", ")}`;
}

/** A setting that is not as it must be. */
export interface SettingFault {
  name: string;
  expected: string;
  actual: string;
  set: SessionSetting["set"];
}

/** Differences from the wanted settings. A setting that this version of PostgreSQL lacks is no fault. */
export function faultsIn(row: SettingsRow, rules: SessionRules): SettingFault[] {
  return settingsFor(rules).flatMap(({ name, value, set }) => {
    const actual = row[name] ?? null;
    if (actual === value || (actual === null && set === "later")) return [];
    return [{ name, expected: value, actual: actual ?? "", set }];
  });
}

/** Sets the differing settings again for the session, and reads them back. */
export function repairOf(faults: readonly SettingFault[]): string {
  return `SELECT ${faults.map(({ name, expected }) => setting(name, expected, false)).join(", ")}`;
}

/**
 * Begins a transaction whose settings are ours whichever session of the server it got, and reads them back. It
 * is one message.
 *
 * @param known the row of `readBack`: which settings the server has
 */
export function beginWith(begin: string, rules: SessionRules, known: SettingsRow): string {
  const access = rules.readOnly && !/\bREAD\s+(ONLY|WRITE)\b/i.test(begin) ? " READ ONLY" : "";
  const isolation = /\bISOLATION\b/i.test(begin) ? "" : " ISOLATION LEVEL READ COMMITTED";
  const columns = settingsFor(rules)
    .filter(({ name }) => (known[name] ?? null) !== null)
    .map(({ name, value, set }) =>
      set === "read" ? `current_setting('${name}') AS "${name}"` : setting(name, value, true),
    );
  return `${begin.trim().replace(/;$/, "")}${isolation}${access}; SELECT current_setting('transaction_read_only') AS "transaction_read_only", ${columns.join(", ")}`;
}

function setting(name: string, value: string, local: boolean): string {
  return `set_config('${name}', '${value}', ${String(local)}) AS "${name}"`;
}
