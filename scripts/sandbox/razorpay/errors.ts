/** The content of `error` in every refusal of the API. */
interface ApiError {
  code: string;
  description: string;
  source: string | null;
  step: string | null;
  reason: string | null;
  metadata: Record<string, unknown>;
  field?: string;
}

/** A request that is answered with an error body; nothing was changed by it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly error: ApiError;

  constructor(status: number, error: Partial<ApiError> = {}) {
    const whole = apiError(status, error);
    super(whole.description);
    this.status = status;
    this.error = whole;
  }
}

/** A 400 that names the field at fault. The value never appears: it may be personal data. */
export function invalid(
  field: string,
  description: string,
  reason = "input_validation_failed",
): Refusal {
  return new Refusal(400, { description, field, reason });
}

/** The provider answers an unknown identifier with 400, not with 404. */
export function existing<T>(found: T | undefined): T {
  if (found === undefined) throw invalid("id", "The id provided does not exist");
  return found;
}

/** A call that the API does not have, or that is not enabled: the provider answers 400, not 404. */
export function urlNotFound(): Refusal {
  const description = "The requested URL was not found on the server.";
  return new Refusal(400, { description, source: null, reason: null });
}

/** The documented error body for an HTTP status, with the caller's changes. */
export function apiError(status: number, changes: Partial<ApiError> = {}): ApiError {
  const usual = USUAL.get(status) ?? (status >= 500 ? SERVER : BAD_REQUEST);
  return { step: null, metadata: {}, ...usual, ...changes };
}

type Usual = Pick<ApiError, "code" | "description" | "source" | "reason">;

const BAD_REQUEST: Usual = {
  code: "BAD_REQUEST_ERROR",
  description: "The request is not valid.",
  source: "business",
  reason: "input_validation_failed",
};

const SERVER: Usual = {
  code: "SERVER_ERROR",
  description: "The request could not be completed. Retry it, or look the payout up first.",
  source: "internal",
  reason: "server_error",
};

const USUAL: ReadonlyMap<number, Usual> = new Map<number, Usual>([
  [
    401,
    {
      code: "BAD_REQUEST_AUTHENTICATION_ERROR",
      description: "Authentication failed",
      source: "business",
      reason: null,
    },
  ],
  [
    403,
    {
      ...BAD_REQUEST,
      description: "This IP address is not on the allow-list of the account.",
      reason: "ip_not_allowed",
    },
  ],
  [
    404,
    { ...BAD_REQUEST, description: "The requested URL was not found on the server.", reason: null },
  ],
  [
    429,
    {
      ...BAD_REQUEST,
      description: "Too many requests. Retry with exponential back-off.",
      reason: "too_many_requests",
    },
  ],
  [
    502,
    {
      code: "GATEWAY_ERROR",
      description: "The partner bank could not be reached.",
      source: "gateway",
      reason: "gateway_down",
    },
  ],
  [
    504,
    {
      code: "GATEWAY_ERROR",
      description: "The partner bank did not answer in time.",
      source: "gateway",
      reason: "gateway_timeout",
    },
  ],
]);
