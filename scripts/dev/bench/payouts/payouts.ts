import type { Bench, Measurement, Row, Section } from "../figure.ts";
import { measurePayouts } from "./index.ts";

const SIZES = [1000, 10_000, 100_000];
const QUICK_SIZES = [200];
/** A round takes minutes, most of them at the largest size. */
const MOST_ROUNDS = 3;

/** Payouts a second of the pipeline, beside the plain way and the bare limit. */
export const payoutsBench: Bench = {
  name: "payouts",
  title: "Payouts a second",
  run: async ({ rounds, quick, say }) => {
    const sizes = quick ? QUICK_SIZES : SIZES;
    const measurements = await measurePayouts({
      sizes,
      rounds: Math.min(rounds, MOST_ROUNDS),
      ...(quick ? { plainMost: 50 } : {}),
      say,
    });
    const find = (name: string): Measurement => {
      const found = measurements.find((measurement) => measurement.name === name);
      if (!found) throw new Error(`nothing was measured as ${name}`);
      return found;
    };
    const costs = sizes.map((size) => costOf(size, find(`payouts ${size}, pipeline`)));
    return [
      ...sizes.map((size): Section => ({
        heading: `${size} approved payouts`,
        rows: rowsOf(size),
      })),
      { heading: "Cost of one payout", rows: costs.map((cost) => growthOf(cost, costs[0])) },
    ];

    function rowsOf(size: number): Row[] {
      const [measured, plain, bare] = ["pipeline", "plain", "bare"].map((way) =>
        find(`payouts ${size}, ${way}`),
      ) as [Measurement, Measurement, Measurement];
      return [
        { measured, against: plain, target: { of: "ratio", atLeast: 10 } },
        { measured, against: bare, target: { of: "ratio", atLeast: 0.1 } },
        {
          measured: find(`payouts ${size}, peak memory`),
          target: { of: "value", atMost: 250 },
        },
      ];
    }
  },
};

function costOf(size: number, { values }: Measurement): Measurement {
  return { name: `one of ${size}`, unit: "ms", values: values.map((each) => 1000 / each) };
}

function growthOf(measured: Measurement, smallest: Measurement | undefined): Row {
  if (smallest === undefined || measured === smallest) return { measured };
  return { measured, against: smallest, target: { of: "ratio", atMost: 1.2 } };
}
