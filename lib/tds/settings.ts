import { environmentOf, group, mapped, oneOf, yesOrNo, type Setting } from "../support/settings.ts";
import {
  CROSSING_POLICIES,
  DEFAULT_REFUND_BASE,
  defaultTaxPolicy,
  LIKELY_POLICIES,
  REFUND_BASES,
  ROUNDINGS,
  type RefundBase,
  type TaxPolicy,
} from "./policy.ts";

/** The tax policy, as every job that assesses tax reads it. */
export const taxPolicy: Setting<TaxPolicy> = mapped(
  group<Omit<TaxPolicy, "aadhaarSuffices"> & { act2025: boolean }>({
    crossing: oneOf({
      name: "TDS_CROSSING_POLICY",
      default: defaultTaxPolicy.crossing,
      description: "how the credit that crosses the yearly threshold is taxed",
      words: CROSSING_POLICIES,
    }),
    rounding: oneOf({
      name: "TDS_ROUNDING",
      default: defaultTaxPolicy.rounding,
      description: "rounding of each deduction",
      words: ROUNDINGS,
    }),
    likelyToExceed: oneOf({
      name: "TDS_LIKELY_TO_EXCEED",
      default: defaultTaxPolicy.likelyToExceed,
      description: "start of tax for a payee marked as likely to exceed the threshold",
      words: LIKELY_POLICIES,
    }),
    act2025: yesOrNo({
      name: "TDS_AADHAAR_SUFFICES_2025_ACT",
      default: "yes",
      description: "whether Aadhaar without PAN counts as identity from April 2026",
    }),
  }),
  ({ act2025, ...policy }) => ({
    ...policy,
    aadhaarSuffices: { ...defaultTaxPolicy.aadhaarSuffices, act2025 },
  }),
);

/** Which earnings bear the gross of a refund, as every job reads it that takes a refund off later earnings. */
export const refundBase: Setting<RefundBase> = oneOf<RefundBase>({
  name: "TDS_REFUND_BASE",
  default: DEFAULT_REFUND_BASE,
  description:
    "which later earnings have less gross, the base of the tax, for a refunded sale: those of its financial year or all",
  words: REFUND_BASES,
});

/** The tax of a credit that no payout has claimed yet depends on the policy, and on the base that a refund lowers. */
export interface TaxSettings {
  tax: TaxPolicy;
  refundBase: RefundBase;
}

/** For a program that names the tax that is due, and does not pay. */
export const taxEnvironment = environmentOf<TaxSettings>({ tax: taxPolicy, refundBase });
