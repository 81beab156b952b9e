export * from "../../scripts/seed/bookings.ts";
