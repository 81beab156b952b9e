import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { AfterhoursError } from "../../../lib/support/errors.ts";

/** One server program: its command, its account and its output. */
interface ServerCommand {
  command: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Another user to run as; only root can ask for that. */
  uid?: number;
  gid?: number;
  logFile: string;
}

interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

type Report = { started: number } | { exited: ServerExit } | { failed: string };

const SUPERVISOR = fileURLToPath(new URL("supervisor.mjs", import.meta.url));

/**
 * A server process that never outlives this one. A supervisor in a session of its own holds it and
 * stops it when this process ends for any reason, `kill -9` included.
 */
export class SupervisedServer {
  readonly #supervisor: ChildProcess;
  #pid: number | undefined;
  #exit: ServerExit | undefined;

  /**
   * @param options.stopSignals signals that end the server, gentlest first; SIGKILL follows automatically @param
   * options.removeAtEnd directories that are removed once the server has ended
   */
  constructor(options: { stopSignals: NodeJS.Signals[]; removeAtEnd: string[] }) {
    this.#supervisor = fork(SUPERVISOR, [options.stopSignals.join(","), ...options.removeAtEnd], {
      detached: true,
      execArgv: [],
      env: withoutNodeOptions(process.env),
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#supervisor.on("message", (report: Report) => this.#heard(report));
    this.#supervisor.on("error", () => undefined);
    this.#letParentEnd();
  }

  /** The server's process id while it runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** How the server ended, when it has. */
  get exit(): ServerExit | undefined {
    return this.#exit;
  }

  /** Starts the server; resolves when the process exists, which is before it accepts connections. */
  async start(command: ServerCommand): Promise<number> {
    this.#exit = undefined;
    const [report] = await this.#exchange({ start: command }, (heard) => !("exited" in heard));
    if (report && "started" in report) return report.started;
    throw new AfterhoursError(
      "SERVICE_NOT_STARTED",
      `${command.command} could not be run: ${report && "failed" in report ? report.failed : "the supervisor ended"}`,
    );
  }

  /** Sends the server a signal and resolves when it has exited. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#pid === undefined) return;
    await this.#exchange({ signal }, (heard) => "exited" in heard);
  }

  /** Stops the server, removes the directories and ends the supervisor. */
  async stop(): Promise<void> {
    if (this.#hasEnded()) return;
    this.#holdParent();
    const ended = once(this.#supervisor, "exit");
    if (this.#supervisor.connected) this.#supervisor.send({ stop: true }, () => undefined);
    await ended;
  }

  /** Sends a message and waits for the first report that is an answer to it. */
  async #exchange(message: object, isAnswer: (report: Report) => boolean): Promise<Report[]> {
    this.#holdParent();
    try {
      return await new Promise((resolve) => {
        const done = (...reports: Report[]): void => {
          this.#supervisor.off("message", hear);
          this.#supervisor.off("exit", gone);
          resolve(reports);
        };
        const hear = (report: Report): void => {
          if (isAnswer(report)) done(report);
        };
        const gone = (): void => done();
        this.#supervisor.on("message", hear);
        this.#supervisor.on("exit", gone);
        if (this.#hasEnded()) done();
        else {
          this.#supervisor.send(message, (error) => {
            if (error) done();
          });
        }
      });
    } finally {
      this.#letParentEnd();
    }
  }

  #heard(report: Report): void {
    if ("started" in report) this.#pid = report.started;
    if ("exited" in report) {
      this.#pid = undefined;
      this.#exit = report.exited;
    }
  }

  #hasEnded(): boolean {
    return this.#supervisor.exitCode !== null || this.#supervisor.signalCode !== null;
  }

  #holdParent(): void {
    this.#supervisor.ref();
    this.#supervisor.channel?.ref();
  }

  /** A server that nobody stopped must not keep this process from ending. */
  #letParentEnd(): void {
    this.#supervisor.unref();
    this.#supervisor.channel?.unref();
  }
}

/** `NODE_OPTIONS` could load a debugger or a loader into the supervisor. */
function withoutNodeOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== "NODE_OPTIONS"));
}
