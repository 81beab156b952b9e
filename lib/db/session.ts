import pg from "pg";
import { channelOf, type Channel } from "../support/channel.ts";
import { seconds } from "../support/clock.ts";
import { hostOf } from "./address.ts";
import {
  connectionConfig,
  DatabaseReadOnlyError,
  describeAddress,
  type ConnectionOptions,
} from "./connection.ts";
import { guardTransactions } from "./pooled-session.ts";
import { poolerRefusal, tooOld, wrongSetting } from "./session-errors.ts";
import {
  faultsIn,
  OLDEST_SERVER,
  readBack,
  repairOf,
  type SettingFault,
  type SettingsRow,
} from "./session-settings.ts";

/** The first statement of a session reads no table: a server that is there answers at once. */
const READ_BACK_TIMEOUT_MS = seconds(15);

/** `pg` hands the settings of a pool to each of its clients. */
type SessionConfig = pg.ClientConfig & { session: ConnectionOptions };
type Callback = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

/**
 * A session of the database that is ours before its first statement: its settings were read back once, and are
 * those that we asked for. Every session of the product is one. Behind a pooler, where the next transaction may
 * have another session of the server, each transaction sets and reads them itself.
 */
export class DatabaseSession extends pg.Client {
  readonly #options: ConnectionOptions;
  #isPooled = false;

  constructor(config: SessionConfig) {
    super(config);
    this.#options = config.session;
  }

  /** Whether a pooler or a proxy answers, and may use another session of the server for each transaction. */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  /** The properties of the connection to the server, or to the pooler before it. */
  get channel(): Channel {
    const { connection } = this as unknown as { connection: { stream: unknown } };
    return channelOf(connection.stream, hostOf(this.#options.url));
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.Client> | void {
    const opened = this.#open();
    if (callback === undefined) return opened;
    const done = callback as (error: unknown, client?: pg.Client) => void;
    opened.then((client) => done(null, client), done);
  }

  async #open(): Promise<pg.Client> {
    const address = describeAddress(this.#options.url);
    // A session that dies meanwhile says so in the statement that waits for it.
    const ignore = (): void => undefined;
    this.on("error", ignore);
    try {
      await super.connect();
      await this.#verify(address);
      return this;
    } catch (error) {
      await super.end().catch(ignore);
      throw poolerRefusal(address, error) ?? error;
    } finally {
      this.off("error", ignore);
    }
  }

  async #verify(address: string): Promise<void> {
    const known = await this.#ask(readBack(this.#options));
    const version = Number(known["version"]);
    if (version < OLDEST_SERVER) throw tooOld(address, version);
    // A pooler makes up the number by which a statement is cancelled, since the server's own would change.
    const { processID } = this as unknown as { processID: number | null };
    if (String(processID) !== String(known["pid"])) {
      this.#isPooled = true;
      guardTransactions(this, {
        rules: this.#options,
        known,
        judge: (row) => this.#judge(address, row),
        explain: (error) => poolerRefusal(address, error) ?? error,
      });
      return;
    }
    const mendable = faultsIn(known, this.#options).filter(({ set }) => set !== "read");
    const repaired = mendable.length === 0 ? {} : await this.#repair(address, mendable);
    this.#judge(address, { ...known, ...repaired });
  }

  /** A proxy that dropped our startup options, or a trigger on login that came after them. */
  async #repair(address: string, faults: readonly SettingFault[]): Promise<SettingsRow> {
    try {
      return await this.#ask(repairOf(faults));
    } catch (error) {
      const [first] = faults;
      // 42501, 22023, 55P02: the server does not let us set it. Anything else is no matter of settings.
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      if (first && ["42501", "22023", "55P02"].includes(code ?? "")) {
        throw wrongSetting(address, first);
      }
      throw error;
    }
  }

  /** @throws {DatabaseSessionError | DatabaseReadOnlyError} naming the first setting that is not as it must be */
  #judge(address: string, row: SettingsRow): void {
    const [fault] = faultsIn(row, this.#options);
    if (fault === undefined) return;
    if (fault.name === "default_transaction_read_only" && fault.expected === "off") {
      const why = `${fault.name} is "${fault.actual}" for this session`;
      throw new DatabaseReadOnlyError(
        this.#options.url,
        Object.assign(new Error(why), { code: "25006" }),
      );
    }
    throw wrongSetting(address, fault);
  }

  async #ask(text: string): Promise<SettingsRow> {
    const asked = { text, query_timeout: READ_BACK_TIMEOUT_MS };
    const { rows } = await super.query<Record<string, string | null>>(asked);
    return rows[0] ?? {};
  }
}

/** One session. Connect it with `connect()`; the caller ends it. */
export function newSession(
  options: ConnectionOptions,
  config: Pick<pg.ClientConfig, "types" | "connectionTimeoutMillis"> = {},
): DatabaseSession {
  return new DatabaseSession({ ...connectionConfig(options), ...config, session: options });
}

type PoolLimits = Pick<
  pg.PoolConfig,
  "max" | "idleTimeoutMillis" | "connectionTimeoutMillis" | "query_timeout" | "types"
>;

/**
 * A pool of such sessions. One that dies while idle is replaced by the next statement, which reports its own
 * errors.
 */
export function newSessionPool(options: ConnectionOptions, limits: PoolLimits): pg.Pool {
  const config: pg.PoolConfig & SessionConfig = {
    ...connectionConfig(options),
    ...limits,
    session: options,
    Client: DatabaseSession as unknown as new () => pg.ClientBase,
  };
  const pool = new pg.Pool(config);
  pool.on("error", () => undefined);
  return pool;
}
