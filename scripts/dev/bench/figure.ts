/** One number of each round, in the order of the rounds. */
export interface Measurement {
  name: string;
  /** `ms`, `MB`, `rows/s`. */
  unit: string;
  values: readonly number[];
}

/** The target of a number. */
export interface Target {
  /** The ratio to the reference, or the number itself. */
  of: "ratio" | "value";
  atMost?: number;
  atLeast?: number;
}

/** A number and its reference: a ratio measures the program, where a time depends on the machine as well. */
export interface Row {
  measured: Measurement;
  /** Round by round the same. Undefined where the number depends on no machine. */
  against?: Measurement;
  target?: Target;
}

/** Rows that belong together. */
export interface Section {
  heading: string;
  rows: readonly Row[];
}

interface BenchOptions {
  /** How often each thing is measured. */
  rounds: number;
  /** Small and short, to see that it works: its numbers say nothing. */
  quick: boolean;
  /** Progress, for a person. */
  say: (line: string) => void;
}

/** One figure of docs/performance.md. */
export interface Bench {
  /** As on the command line. */
  name: string;
  title: string;
  run: (options: BenchOptions) => Promise<readonly Section[]>;
}
