import type pg from "pg";
import type { Env } from "../support/environment.ts";
import type { Log } from "../support/log.ts";
import type { Redactor } from "../support/redact.ts";
import type { JobDefinition } from "./define-job.ts";
import type { HarnessSettings } from "./environment.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Terminal } from "./terminal.ts";

/** The parts of the process that a run uses. */
export interface RunIo {
  argv: readonly string[];
  env: Env;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WriteStream;
}

/** A run in progress: the state that its steps share, and that the final steps need after any outcome. */
export interface Run<Settings, Report> {
  readonly job: JobDefinition<Settings, Report, string>;
  readonly io: RunIo;
  readonly runId: string;
  /** `<iso time>@<host>:<uuid>` */
  readonly owner: string;
  readonly options: CommonOptions;
  /** The values of the job's own flags. */
  readonly flags: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly terminal: Terminal;
  readonly redactor: Redactor;
  harness?: HarnessSettings;
  control?: pg.Pool;
  recordStarted: boolean;
  /** Whether the core was called: before that, no work has begun. */
  coreStarted: boolean;
  fence: bigint | null;
  report?: Report;
  /** Acquired resources, released in reverse order. */
  readonly releasers: { what: string; release: () => Promise<void> }[];
}
