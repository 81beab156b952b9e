import type { DestinationStream } from "pino";
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
const BAR_WIDTH = 24;

/** The log and a progress line share standard error: the line is erased before each log line. */
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
  let bar = "";
  const erase = (): void => {
    if (bar !== "") stderr.write("\r\u001b[2K");
  };
  return {
    destination: {
      write(line) {
        erase();
        stderr.write(pretty(forTerminal(line)));
        stderr.write(bar);
      },
    },
    progress: {
      update(done, total) {
        if (total <= HANDFUL) return;
        const filled = Math.round((done / total) * BAR_WIDTH);
        erase();
        bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${done}/${total}`;
        stderr.write(bar);
      },
    },
    finish() {
      erase();
      bar = "";
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
