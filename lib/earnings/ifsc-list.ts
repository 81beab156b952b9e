import ifsc from "ifsc";

/**
 * The list of branches that the `ifsc` package holds. Banks open branches every week, so that a code may be right and not
 * in it. `before`: the list is older than this day. docs/importing-earnings.md says how to take a newer one.
 */
export const IFSC_LIST = { version: "2.0.50", before: "2025-12-31" } as const;

export const IFSC_SHAPE = /^[A-Z]{4}0[A-Z0-9]{6}$/;

/** Why a well-formed code is refused, undefined when a branch has it or it is allowed by hand. */
export function ifscProblem(code: string, allowed: ReadonlySet<string>): string | undefined {
  if (allowed.has(code) || ifsc.validate(code)) return undefined;
  const { version, before } = IFSC_LIST;
  return (
    `no branch has the code ${code} in our list, which is older than ${before} (ifsc ${version}); ` +
    `if the bank confirms it, run again with --allow-ifsc ${code}`
  );
}
