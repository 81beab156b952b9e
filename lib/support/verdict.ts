/** How a core judges its own run. The harness maps it to an outcome, an exit code and a summary. */
export type Verdict =
  /**
   * The run did its part. A note is open work that takes its usual course; a warning is something that waits for
   * another job or for a person.
   */
  | { kind: "completed"; note?: string; warning?: string }
  /** Some items failed or are in doubt; the rest is done. */
  | { kind: "partial"; reason: string; message: string; remedy?: string }
  /**
   * The run as a whole failed. `code` is stable; `message` describes the event, `remedy` names the next step.
   */
  | { kind: "failed"; code: string; message: string; remedy?: string }
  /** An error ended the run; the report covers the work until then. */
  | { kind: "broken"; error: unknown }
  /** The signal fired: the current unit was finished, and no other was started. */
  | { kind: "interrupted" };

/** The result of a core: its numbers, and its judgement of them. */
export interface CoreResult<Report> {
  verdict: Verdict;
  report: Report;
}

/** A fault that the next item would meet as well: the run stops. */
export interface RunFault {
  /** Stable, in kebab-case: the run's reason. */
  code: string;
  message: string;
  remedy: string;
}

/** The verdict of a run that a fault ended. */
export function failed({ code, message, remedy }: RunFault): Verdict {
  return { kind: "failed", code, message, remedy };
}
