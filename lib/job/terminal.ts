import type { SingleBar } from "cli-progress";
import type { DestinationStream } from "pino";
import { seconds, systemClock } from "../support/clock.ts";
import { oneLine } from "../support/one-line.ts";
import type { Progress } from "../support/progress.ts";
import { jsonWithoutCommands } from "./runner-commands.ts";

export interface Terminal {
  /** Where the log goes: pretty on a terminal, JSON lines otherwise. */
  readonly destination: DestinationStream;
  readonly progress: Progress;
  /** Removes the progress line. */
  finish(): void;
}

/** With no more items than this, the log alone is progress enough. */
const HANDFUL = 5;

/** The log and a progress line share standard error: each log line goes above the progress line. */
export async function openTerminal(stderr: NodeJS.WriteStream): Promise<Terminal> {
  if (!stderr.isTTY) {
    return {
      destination: { write: (line) => void stderr.write(jsonWithoutCommands(line)) },
      progress: { update: () => undefined },
      finish: () => undefined,
    };
  }

  // A CommonJS package: in a bundle it has only this one export.
  const { default: pinoPretty } = await import("pino-pretty");
  const pretty = pinoPretty.prettyFactory({
    colorize: true,
    ignore: "pid,hostname,job,runId",
    translateTime: "HH:MM:ss",
  });
  const { default: progressBars } = await import("cli-progress");
  const { Format, MultiBar } = progressBars;
  // Of many bars only for its log: lines of the log go above the bar.
  const bars = new MultiBar({
    stream: stderr,
    format: "{bar} {value}/{total}, {rate} a second, {eta_formatted} left",
    formatTime: (secondsLeft, options) =>
      Number.isFinite(secondsLeft) ? Format.TimeFormat(secondsLeft, options, 5).trim() : "unknown",
    // Progress comes in bursts: the time left follows from the last so many updates.
    etaBuffer: 200,
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    // After a line of the log the bar is drawn again, changed or not.
    forceRedraw: true,
    // The cursor, the width of a line and signals are left as they are.
    hideCursor: false,
    linewrap: true,
    gracefulExit: false,
  });
  let bar: SingleBar | undefined;
  let startedMs = 0;
  return {
    destination: {
      write(line) {
        const text = pretty(forTerminal(line));
        if (!bar) {
          stderr.write(text);
          return;
        }
        bars.log(text);
        bars.update();
      },
    },
    progress: {
      update(done, total) {
        if (total <= HANDFUL) return;
        if (!bar) startedMs = systemClock.monotonicMs();
        const tookMs = systemClock.monotonicMs() - startedMs;
        const rate = bar && tookMs > 0 ? ((done * seconds(1)) / tookMs).toFixed(1) : "?";
        bar ??= bars.create(total, 0, { rate });
        bar.setTotal(total);
        bar.update(done, { rate });
      },
    },
    finish() {
      if (bar) bars.stop();
      bar = undefined;
    },
  };
}

/** A line of the log in which no text of somebody else begins another line, or moves the cursor. */
function forTerminal(line: string): string {
  return JSON.stringify(
    JSON.parse(line, (key, value: unknown) => {
      if (typeof value !== "string") return value;
      return key === "stack" ? stackOnItsLines(value) : oneLine(value);
    }),
  );
}

/** A stack has a line for each call; all else of it is the message. */
function stackOnItsLines(stack: string): string {
  return stack
    .split(/\n(?= {4}at )/)
    .map(oneLine)
    .join("\n");
}
