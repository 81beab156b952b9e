import type { Bench } from "./figure.ts";
import { payoutsBench } from "./payouts/payouts.ts";
import { bookingsBench } from "./bookings/bookings.ts";
import { installBench } from "./install/install.ts";
import { rateBench } from "./rate/rate.ts";
import { startupBench } from "./startup/startup.ts";
import { taxBench } from "./tax/tax.ts";

/** Every figure, in the order of docs/performance.md. */
export const benches: readonly Bench[] = [
  startupBench,
  installBench,
  payoutsBench,
  rateBench,
  bookingsBench,
  taxBench,
];
