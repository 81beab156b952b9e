import type { Course } from "./payouts.ts";

/** An authenticated call of the API, on a route that exists. */
export interface ApiRequest {
  /** The identifier in the path; empty where the route has none. */
  id: string;
  query: URLSearchParams;
  rawBody: string;
  idempotencyKey: string | undefined;
  /** How a fault wants the payout that this request makes to go on. */
  course: Course;
}
