import { environmentOf } from "../../support/settings.ts";
import type { TaxPolicy } from "../../tds/index.ts";
import { taxPolicy } from "../../tds/settings.ts";

export interface LedgerSettings {
  /** By which tax is assessed again: the same as the payout run's. */
  tax: TaxPolicy;
}

/** The books are proven from the database; the tax policy is the payout run's. */
export const ledgerEnvironment = environmentOf<LedgerSettings>({ tax: taxPolicy });
