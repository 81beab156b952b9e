import { pino, type DestinationStream, type Level, type Logger } from "pino";
import type { Redactor } from "./redact.ts";
import { storable } from "./storable.ts";

/**
 * A structured log. Every line is redacted before it is written. There is no `child`: pino writes a
 * child's own fields without asking the redactor.
 */
export type Log = Pick<Logger, LogLevel>;
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = Level;

interface LogOptions {
  level: LogLevel;
  redactor: Redactor;
  /** Where lines go; one JSON object a line. */
  destination: DestinationStream;
  /** Fields that stand on every line, such as the job and the run. */
  base: Record<string, string>;
}

/**
 * A log that writes synchronously, so that the last line before a crash is not lost. A bigint is
 * written as its decimal digits, since JSON has no integers of that size.
 */
export function createLog({ level, redactor, destination, base }: LogOptions): Log {
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => bigintsAsText(redactor.value(fields)) as Record<string, unknown>,
      },
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod([first, ...rest]: unknown[], method) {
          // The fields pass through `formatters.log`; the message and its arguments pass through here.
          const fields = typeof first === "object" ? first : redactor.value(first);
          const message = rest.length === 0 ? messageOfError(first) : rest;
          method.apply(this, [fields, ...message.map((part) => redactor.value(part))] as Parameters<
            typeof method
          >);
        },
      },
    },
    destination,
  );
}

/** Without a message of its own, pino takes that of the error. */
function messageOfError(fields: unknown): string[] {
  const error = fields instanceof Error ? fields : (fields as { err?: unknown } | null)?.err;
  return error instanceof Error ? [error.message] : [];
}

/** A log that keeps nothing, for callers that have none. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}

/** `JSON.stringify` for values that hold bigints: each becomes its decimal digits. PostgreSQL can store the result. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (typeof item === "bigint") return item.toString();
      return typeof item === "string" ? storable(item) : item;
    },
    indent,
  );
}

function bigintsAsText(value: unknown): unknown {
  return JSON.parse(toJson(value));
}
