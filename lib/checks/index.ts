/** Rules over bookings, payments, waitlist and earnings. Light: the run is in `run-checks.ts`. */
export { checkEnvironment, type CheckRules } from "./settings.ts";
