import type { EnvironmentProblem } from "../support/environment.ts";

/** Why a run did nothing and was right to. */
type SkipReason = "maintenance" | "lock-held";
/** The reason why a run ended early. */
export type InterruptReason = "SIGINT" | "SIGTERM" | "deadline" | "lease-lost";

/** How a run ended: a closed union, mapped to exit code, outputs and summary here and nowhere else. */
export type Outcome =
  | { kind: "completed"; note?: string; warning?: string }
  | { kind: "skipped"; reason: SkipReason; message: string }
  | { kind: "partial"; reason: string; message: string; remedy?: string }
  | { kind: "failed"; code: string; message: string; remedy?: string; error?: Error }
  | { kind: "interrupted"; reason: InterruptReason; message: string }
  | { kind: "misconfigured"; problems: readonly EnvironmentProblem[] };

export const exitCodes = {
  completed: 0,
  skipped: 0,
  partial: 1,
  failed: 1,
  interrupted: 130,
  misconfigured: 2,
} as const satisfies Record<Outcome["kind"], number>;

export function exitCodeOf(outcome: Outcome): number {
  return exitCodes[outcome.kind];
}

/** The machine-readable reason beside the outcome; empty when there is nothing to explain. */
export function reasonOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "completed":
      return "";
    case "skipped":
    case "partial":
    case "interrupted":
      return outcome.reason;
    case "failed":
      return outcome.code;
    case "misconfigured":
      return "misconfigured";
  }
}

/** The same in a sentence for a person, with the remedy. */
export function explain(
  outcome: Outcome,
  { dryRun = false }: { dryRun?: boolean } = {},
): { message: string; remedy?: string } {
  switch (outcome.kind) {
    case "completed": {
      const { note, warning } = outcome;
      // "Everything is done" is never printed while work is open.
      const isAllDone = note === undefined && warning === undefined;
      const done = isAllDone ? "Everything that was due is done." : "This run did its part.";
      const parts = [
        dryRun ? "This is the plan of a run; nothing was written or sent." : done,
        note,
        warning === undefined ? undefined : `Still open: ${warning}`,
      ];
      return { message: parts.filter((part) => part !== undefined).join(" ") };
    }
    case "misconfigured":
      return {
        message: outcome.problems
          .map(({ variable, problem }) => `${variable}: ${problem}`)
          .join("\n"),
        remedy: "--help lists the flags and the variables. Nothing was started.",
      };
    case "skipped":
    case "interrupted":
      return { message: outcome.message };
    case "partial":
    case "failed":
      return {
        message: outcome.message,
        ...(outcome.remedy === undefined ? {} : { remedy: outcome.remedy }),
      };
  }
}
