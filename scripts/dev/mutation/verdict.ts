/** How one mutant fared. */
export type Fate =
  /** A test failed: `by` names it. */
  | { kind: "killed"; by: string }
  /** Every test passed: nothing would notice if the condition were missing. */
  | { kind: "survived" }
  /** It could not be tried, or fell for a reason that has nothing to do with the condition. */
  | { kind: "invalid"; why: string };

/** A test that failed. */
export interface FailedTest {
  name: string;
  /** Messages and codes of its errors, one text. */
  errors: string;
  /** SQLSTATE of each error that PostgreSQL answered while it ran. */
  sqlStates: readonly string[];
}

/** PostgreSQL could not read the statement (class 42), or the parameters did not fit it (08P01). */
const NOT_UNDERSTOOD = /^(?:42(?!501)[0-9A-Z]{3}|08P01)$/;

/** The verdict of the run of one test file. Undefined: all passed, so the next file is asked. */
export function fateOf(run: {
  failed: readonly FailedTest[];
  /** Errors outside of tests: a file that could not be loaded, a broken set-up. */
  outside: readonly string[];
  passed: number;
}): Fate | undefined {
  const [first] = run.failed;
  if (first) {
    const state = [...first.sqlStates, ...(first.errors.match(/\b[0-9A-Z]{5}\b/g) ?? [])].find(
      (code) => NOT_UNDERSTOOD.test(code),
    );
    if (state === undefined) return { kind: "killed", by: first.name };
    return { kind: "invalid", why: `PostgreSQL did not understand it (${state}): ${first.name}` };
  }
  const [outside] = run.outside;
  if (outside !== undefined) return { kind: "invalid", why: outside };
  if (run.passed === 0) return { kind: "invalid", why: "no test ran" };
  return undefined;
}
