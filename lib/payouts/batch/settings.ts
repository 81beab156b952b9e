import { environmentOf, rupees, wholeNumber } from "../../support/settings.ts";
import type { Paise } from "../../support/money.ts";
import { LIMITS, limitsKept } from "../state/limits.ts";
import type { RefundBase } from "../../tds/index.ts";
import { refundBase } from "../../tds/settings.ts";

export interface BatchSettings {
  /** A smaller amount is carried to the next batch. */
  minimumPaise: Paise;
  /** A smaller amount is paid all the same once its oldest earning is older than so many days; 0: never. */
  smallAfterDays: number;
  /** A payout of at most so much is approved at once; a larger one waits for a person. */
  autoApprovePaise: Paise;
  /** An earning is due so many days after the buyer's payment was captured; 0: at once. */
  settlementDays: number;
  /** Which earnings have less gross for a refunded sale. Default: those of the sale's financial year. */
  refundBase?: RefundBase;
}

/** Everything that the batch reads from the environment, beyond the database. */
export const batchEnvironment = environmentOf<BatchSettings>(
  {
    minimumPaise: rupees({
      name: "PAYOUTS_MINIMUM_RUPEES",
      default: "500",
      description: "smallest payout, before tax; less is carried to the next batch",
      // The provider sends nothing below one rupee.
      least: 100n,
      example: "500.00",
    }),
    smallAfterDays: wholeNumber({
      name: "PAYOUTS_SMALL_AFTER_DAYS",
      default: 90,
      description:
        "days after which a sum below the smallest payout is paid all the same; 0 carries it for ever",
      unit: "days",
      least: 0,
      most: 3_650,
    }),
    autoApprovePaise: rupees({
      name: "PAYOUTS_AUTO_APPROVE_RUPEES",
      default: LIMITS.PAYOUTS_AUTO_APPROVE_RUPEES,
      description: "payouts up to this, before tax, are approved at once; 0 leaves all to a person",
      least: 0n,
      example: "0",
    }),
    settlementDays: wholeNumber({
      name: "PAYOUTS_SETTLEMENT_DAYS",
      default: 4,
      description:
        "days from the capture of a buyer's payment until its earning may be paid out; 0 does not wait",
      unit: "days",
      least: 0,
      most: 90,
    }),
    refundBase,
  },
  (env, problems) => limitsKept(env, ["PAYOUTS_AUTO_APPROVE_RUPEES"], problems),
);
