import type { Bench } from "./figure.ts";
import { startupBench } from "./startup/startup.ts";
import { taxBench } from "./tax/tax.ts";

/** Every figure, in the order of docs/performance.md. */
export const benches: readonly Bench[] = [startupBench, taxBench];
