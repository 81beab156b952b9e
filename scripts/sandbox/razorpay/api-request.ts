import type { Course } from "./payouts.ts";
import type { RefundCourse } from "./refunds.ts";
import type { World } from "./world.ts";

/** Answers the body of a 200. Throws a `Refusal` for any other answer. */
export type Handler = (world: World, request: ApiRequest) => object;

/** An authenticated call of the API, on a route that exists. */
export interface ApiRequest {
  /** The identifier in the path; empty where the route has none. */
  id: string;
  query: URLSearchParams;
  rawBody: string;
  idempotencyKey: string | undefined;
  /** The fault's course for the payout that this request makes. */
  course: Course;
  /** The same for a refund. */
  refundCourse: RefundCourse;
}
