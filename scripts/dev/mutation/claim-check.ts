/** The subject and the tests of a check. A module that the script loads exports one as `claimCheck`. */
export interface ClaimCheck {
  /** The folder that all paths are relative to. */
  root: string;
  /** Files and folders whose claiming statements are checked. */
  scope: readonly string[];
  vitestConfig: string;
  /**
   * For each file with claiming statements the test files that have to notice, the fastest first. They must
   * call it in their own process: a process that they start reads the file as it is.
   */
  tests: Readonly<Record<string, readonly string[]>>;
  /** Mutants that no test can tell from the source, and why the condition stays all the same. */
  exempt: Readonly<Record<string, string>>;
}

/** Differences between the source and the lists of the check; there must be none. */
export function drift(
  { tests, exempt }: ClaimCheck,
  mutants: readonly { id: string; file: string }[],
): string[] {
  const files = new Set(mutants.map(({ file }) => file));
  const ids = new Set(mutants.map(({ id }) => id));
  return [
    ...[...files]
      .filter((file) => !tests[file]?.length)
      .map((file) => `${file} claims rows, and no test file is named for it`),
    ...Object.keys(tests)
      .filter((file) => !files.has(file))
      .map((file) => `tests are named for ${file}, which has no claiming statement`),
    ...Object.keys(exempt)
      .filter((id) => !ids.has(id))
      .map((id) => `an exemption is for no condition of the source: ${id}`),
  ];
}
