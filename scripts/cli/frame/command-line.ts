import {
  Command,
  CommanderError,
  type AddHelpTextContext,
  type AddHelpTextPosition,
} from "commander";
import { toError } from "../../../lib/support/errors.ts";
import { isLostReader } from "../../../lib/support/lost-reader.ts";
import { USUAL_WIDTH, wrapText } from "../../../lib/support/wrap-text.ts";

/** How a command ends. Workflows and scripts read these. */
export const EXIT = { done: 0, notDone: 1, usage: 2 } as const;

/** Narrower columns than this are not worth a line break; commander's own limit leaves long lines. */
export const NARROWEST_COLUMN = 16;

/**
 * A command as all of ours are: its help fits the terminal, and a reader that goes away ends it without a word.
 * Its subcommands are the same.
 */
export function newCommand(name: string): Command {
  surviveLostReaders();
  return new WrappedCommand(name).configureHelp({ minWidthToWrap: NARROWEST_COLUMN });
}

/** The exit status of a command that the arguments alone have ended, by a request for help or by a mistake. */
export function endedByArguments(command: Command, argv = process.argv): number | undefined {
  try {
    command.exitOverride().parse(argv);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return exitOf(thrown);
  }
}

/** Commander has shown the help, or has named the mistake. */
export function exitOf({ exitCode }: CommanderError): number {
  return exitCode === 0 ? EXIT.done : EXIT.usage;
}

/** Commander wraps its own lines, but not added text. */
class WrappedCommand extends Command {
  override createCommand(name?: string): Command {
    return new WrappedCommand(name);
  }

  /** A description is one paragraph, however the source breaks it. */
  override description(): string;
  override description(text: string): this;
  override description(text?: string): this | string {
    return text === undefined ? super.description() : super.description(text.replace(/\n/g, " "));
  }

  override addHelpText(
    position: AddHelpTextPosition,
    text: string | ((context: AddHelpTextContext) => string),
  ): this {
    return super.addHelpText(position, (context) =>
      wrapText(asParagraphs(typeof text === "string" ? text : text(context)), {
        width: helpWidthOf(this),
      }),
    );
  }
}

/** Joins the lines of a paragraph, which are broken for the source; indented lines are a table and stay. */
function asParagraphs(text: string): string {
  return text.replace(/(?<=[^\n:.])\n(?=[^\s])/g, " ");
}

function helpWidthOf(command: Command): number {
  return command.configureOutput().getOutHelpWidth?.() ?? USUAL_WIDTH;
}

let lost: (() => void) | undefined;
/** Resolves when the reader of the output has gone: the signal to stop for a command that runs until then. */
export const readerLost = new Promise<void>((resolve) => (lost = resolve));

let isListening = false;

/**
 * `payouts list | head`: a command that loses its reader continues silently to its end, so that its changes are
 * complete. Output that cannot be written for another reason is a failure.
 */
function surviveLostReaders(): void {
  if (isListening) return;
  isListening = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: unknown) => {
      if (isLostReader(error)) {
        lost?.();
        return;
      }
      process.exitCode = 1;
      if (stream === process.stdout) {
        console.error(`error: the output could not be written: ${toError(error).message}`);
      }
    });
  }
}
