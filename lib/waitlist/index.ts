/** Declarations of the waitlist for job files. Cores are imported when they run. */
export { expireOutputs, expireTables, type ExpireReport } from "./expire/report.ts";
export { reminderOutputs, reminderTables, type ReminderReport } from "./remind/report.ts";
export { reminderEnvironment, waitlistEnvironment } from "./settings.ts";
