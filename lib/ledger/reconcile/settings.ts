import type { EnvironmentSpec } from "../../support/environment.ts";

/** The books are proven from the database alone. */
export const ledgerEnvironment: EnvironmentSpec<Record<string, never>> = {
  variables: [],
  parse: () => ({ ok: true, settings: {}, secrets: [] }),
};
