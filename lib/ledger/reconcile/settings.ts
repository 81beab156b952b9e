import type { EnvironmentProblem, EnvironmentSpec } from "../../support/environment.ts";
import type { TaxPolicy } from "../../tds/index.ts";
import { parseTaxPolicy, taxVariables } from "../../tds/settings.ts";

export interface LedgerSettings {
  /** By which tax is assessed again: the same as the payout run's. */
  tax: TaxPolicy;
}

/** The books are proven from the database; the tax policy is the payout run's. */
export const ledgerEnvironment: EnvironmentSpec<LedgerSettings> = {
  variables: taxVariables,
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const tax = parseTaxPolicy(env, problems);
    return problems.length > 0
      ? { ok: false, problems }
      : { ok: true, settings: { tax }, secrets: [] };
  },
};
