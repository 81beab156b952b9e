import type pg from "pg";
import { connectWithRetry } from "../db/connect-retry.ts";
import {
  DatabaseUnreachableError,
  isMissingSchema,
  isPermissionDenied,
  isWorthAnotherTry,
} from "../db/connection.ts";
import { openControlPool } from "../db/pool.ts";
import type { Db } from "../db/client.ts";
import { systemClock } from "../support/clock.ts";
import { isOnGitHub } from "../support/environment.ts";
import { AfterhoursError, toError } from "../support/errors.ts";
import { createLog } from "../support/log.ts";
import { oneLine } from "../support/one-line.ts";
import { newUuid, systemRandom } from "../support/random.ts";
import { createRedactor } from "../support/redact.ts";
import { DEFAULT_OPTIONS } from "./common-options.ts";
import type { JobDefinition } from "./define-job.ts";
import { parseHarnessEnvironment, runOrigin, type HarnessSettings } from "./environment.ts";
import { isPaused, readMaintenance, type MaintenancePhase } from "./maintenance.ts";
import type { Outcome } from "./outcome.ts";
import { interrupted, outcomeOfError, outcomeOfVerdict } from "./outcome-of.ts";
import { readOptions } from "./read-options.ts";
import type { Run, RunIo } from "./run.ts";
import { recordStart } from "./run-record.ts";
import { maskSecrets } from "./settle/github.ts";
import { sendHeartbeat } from "./settle/heartbeat.ts";
import { settle } from "./settle/settle.ts";
import { listenForStop, type StopSignal } from "./signals.ts";
import { dryRunLock, takeLock } from "./take-lock.ts";
import { openTerminal } from "./terminal.ts";

/**
 * One run of a job: options, environment, maintenance, lock, warm-up, core, settle. Never throws: every error
 * becomes an outcome, and everything acquired is released.
 */
export async function runJob<Settings, Report, Flag extends string>(
  job: JobDefinition<Settings, Report, Flag>,
  io: RunIo,
): Promise<Outcome> {
  for (const stream of [io.stdout, io.stderr]) surviveLostReader(stream);
  const parsed = await readOptions(job, io.argv, io.env, {
    stdout: (text) => io.stdout.write(text),
  });
  if (parsed.kind === "help") return { kind: "completed" };
  const options = parsed.kind === "run" ? parsed.options : DEFAULT_OPTIONS;

  // Both halves of the environment are read before anything is said, so that all that is wrong is
  // said at once and all that is secret is known to the log from its first line.
  const harness = parseHarnessEnvironment(io.env, job.name);
  const own = job.environment.parse(io.env);
  const secrets = [...(harness.ok ? harness.secrets : []), ...(own.ok ? own.secrets : [])];
  await maskSecrets(io.env, secrets);

  const runId = newUuid();
  const redactor = createRedactor(secrets);
  const terminal = await openTerminal(io.stderr);
  const run: Run<Settings, Report> = {
    job,
    io,
    runId,
    owner: `${systemClock.now().toISOString()}@${runOrigin(io.env).host}:${runId}`,
    options,
    flags: parsed.kind === "run" ? parsed.flags : {},
    log: createLog({
      level: options.logLevel,
      redactor,
      destination: terminal.destination,
      base: { job: job.name, runId },
    }),
    terminal,
    redactor,
    recordStarted: false,
    coreStarted: false,
    fence: null,
    releasers: [],
  };

  const stop = listenForStop({ deadlineMs: job.deadlineMs });
  let outcome: Outcome;
  try {
    if (parsed.kind === "unusable" || !harness.ok || !own.ok) {
      const problems = [
        ...(parsed.kind === "unusable"
          ? [{ variable: "command line", problem: parsed.problem }]
          : []),
        ...(harness.ok ? [] : harness.problems),
        ...(own.ok ? [] : own.problems),
      ];
      outcome = { kind: "misconfigured", problems };
    } else {
      run.harness = harness.settings;
      outcome = await attempt(run, { harness: harness.settings, settings: own.settings, stop });
    }
  } catch (thrown) {
    // A connection that was still being made when the run was told to stop.
    outcome =
      stop.isStopping() && !run.coreStarted
        ? interrupted(stop)
        : outcomeOfError(thrown, run.harness?.databaseUrl, stop);
  }
  await settle(run, outcome);
  stop.dispose();
  return outcome;
}

/** `job | head`: a lost reader must end neither the run nor its final steps. */
function surviveLostReader(stream: NodeJS.WritableStream): void {
  if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
}

const ignore = (): void => undefined;

interface Prepared<Settings> {
  harness: HarnessSettings;
  settings: Settings;
  stop: StopSignal;
}

async function attempt<Settings, Report>(
  run: Run<Settings, Report>,
  { harness, settings, stop }: Prepared<Settings>,
): Promise<Outcome> {
  const { job, log, options } = run;
  run.control = await openControl(run, harness, stop);

  const maintenance = await maintenanceOf(run, run.control, harness);
  if (maintenance) return maintenance;

  const lock = options.dryRun
    ? dryRunLock(harness)
    : await takeLock(run, run.control, { harness, stop });
  if ("outcome" in lock) return lock.outcome;
  run.fence = lock.lease.fence;
  if (stop.isStopping()) return interrupted(stop);

  if (!options.dryRun) {
    await recordStart(run.control, { ...run, job: job.name, ...runOrigin(run.io.env) });
    run.recordStarted = true;
    if (harness.heartbeatUrl) {
      const failure = await sendHeartbeat(harness.heartbeatUrl, {
        beat: "start",
        runId: run.runId,
      });
      if (failure) log.warn({ err: failure }, "the monitor was not told of the start");
    }
  }

  const db = await warmUp(run, harness, stop);
  if (stop.isStopping()) return interrupted(stop);
  log.info({ dryRun: options.dryRun, fence: run.fence, owner: run.owner }, "started");

  run.coreStarted = true;
  const { verdict, report } = await job.run({
    runId: run.runId,
    dryRun: options.dryRun,
    limit: options.limit,
    settings,
    flags: run.flags,
    db,
    lease: lock.lease,
    clock: systemClock,
    random: systemRandom,
    log,
    redactor: run.redactor,
    progress: run.terminal.progress,
    signal: stop.signal,
  });
  run.report = report;
  await lock.confirm();
  return outcomeOfVerdict(verdict, { databaseUrl: harness.databaseUrl, stop });
}

async function openControl<S, R>(
  run: Run<S, R>,
  harness: HarnessSettings,
  stop: StopSignal,
): Promise<pg.Pool> {
  const pool = await openControlPool(
    {
      url: harness.databaseUrl,
      applicationName: `afterhours ${run.job.name} control`,
      readOnly: run.options.dryRun,
      cut: stop.givenUp.settling,
    },
    {
      random: systemRandom,
      signal: stop.signal,
      onRetry: ({ attempt: number, waitMs, error }) =>
        run.log.warn(
          { err: toError(error), attempt: number, waitMs },
          "no session with the database yet",
        ),
    },
  );
  run.releasers.push({ what: "control connection", release: () => pool.end() });
  return pool;
}

/** An outcome if maintenance stops this job, or if nobody can say whether it does. */
async function maintenanceOf<S, R>(
  run: Run<S, R>,
  control: pg.Pool,
  harness: HarnessSettings,
): Promise<Outcome | undefined> {
  const override = harness.maintenanceOverride;
  // On GitHub, people without the right to merge can set variables. These variables may pause a job, but cannot
  // end a pause.
  const isHeard =
    override !== undefined && (!isOnGitHub(run.io.env) || isPaused(override, run.job.pausedBy));
  let phase: MaintenancePhase;
  let reason: string | null = "MAINTENANCE_PHASE is set";
  if (isHeard) phase = override;
  else {
    try {
      ({ phase, reason } = await readMaintenance(control));
    } catch (error) {
      if (isMissingSchema(error) || isPermissionDenied(error)) throw error;
      if (error instanceof AfterhoursError) throw error;
      if (run.job.movesMoney) {
        return {
          kind: "failed",
          code: "maintenance-unknown",
          message:
            "The maintenance phase could not be read, and a job that moves money does not run without it.",
          remedy: "Look at the database, then run the job again; nothing was started.",
          error: toError(error),
        };
      }
      run.log.warn(
        { err: toError(error) },
        "the maintenance phase could not be read; running all the same",
      );
      return undefined;
    }
  }
  if (!isPaused(phase, run.job.pausedBy)) return undefined;
  const because = reason === null ? "" : ` (${oneLine(reason)})`;
  const unheard =
    override === undefined || isHeard
      ? ""
      : ` MAINTENANCE_PHASE=${override} can't lift it on GitHub Actions; from a terminal it can.`;
  return {
    kind: "skipped",
    reason: "maintenance",
    message: `The maintenance phase is ${phase}${because}.${unheard}`,
  };
}

/** Opens the core's own session. */
async function warmUp<S, R>(
  run: Run<S, R>,
  harness: HarnessSettings,
  stop: StopSignal,
): Promise<Db> {
  const { openDatabase } = await import("../db/client.ts");
  const db = openDatabase({
    url: harness.databaseUrl,
    applicationName: `afterhours ${run.job.name}`,
    readOnly: run.options.dryRun,
    connections: run.job.connections ?? 1,
    cut: stop.givenUp.core,
  });
  run.releasers.push({ what: "database session", release: () => db.close() });
  try {
    await connectWithRetry(() => db.connect(), {
      random: systemRandom,
      signal: stop.signal,
      isWorthRetrying: (error) => isWorthAnotherTry(error) && !(error instanceof AfterhoursError),
    });
    return db;
  } catch (error) {
    if (isPermissionDenied(error) || error instanceof AfterhoursError) throw error;
    throw new DatabaseUnreachableError(harness.databaseUrl, error);
  }
}
