const CHECKOUT_ROUTES = [
  "POST /orders",
  "GET /orders",
  "GET /orders/:id",
  "PATCH /orders/:id",
  "GET /orders/:id/payments",
  "GET /payments",
  "GET /payments/:id",
  "POST /payments/:id/refund",
  "GET /payments/:id/refunds",
  "GET /refunds",
  "GET /refunds/:id",
  "GET /disputes",
  "GET /disputes/:id",
  "POST /disputes/:id/accept",
] as const;

/** A call of the payments API. */
export type CheckoutRoute = (typeof CHECKOUT_ROUTES)[number];

/** Every call of the APIs that the sandbox answers, as `METHOD /path` with `:id` for an identifier. */
export const ROUTES = [
  "POST /contacts",
  "GET /contacts",
  "GET /contacts/:id",
  "PATCH /contacts/:id",
  "POST /fund_accounts",
  "GET /fund_accounts",
  "GET /fund_accounts/:id",
  "PATCH /fund_accounts/:id",
  "POST /payouts",
  "GET /payouts",
  "GET /payouts/:id",
  "POST /payouts/:id/cancel",
  "GET /transactions",
  "GET /transactions/:id",
  "GET /banking_balances",
  ...CHECKOUT_ROUTES,
] as const;

export type Route = (typeof ROUTES)[number];

/** Calls of the provider's that the sandbox does not have, where an identifier would stand. */
const NO_IDENTIFIERS: ReadonlySet<string> = new Set(["validations", "purposes", "downtimes"]);

const KNOWN: ReadonlySet<string> = new Set(ROUTES);

/** The route of a call and the identifier in its path; undefined when there is no such call. */
export function routeOf(
  method: string,
  path: string,
): { route: Route; id: string | undefined } | undefined {
  const [resource, id, ...action] = path.slice(1).split("/");
  if (id !== undefined && NO_IDENTIFIERS.has(id)) return undefined;
  const pattern = [
    `${method} /${resource ?? ""}`,
    ...(id === undefined ? [] : [":id"]),
    ...action,
  ].join("/");
  return isRoute(pattern) ? { route: pattern, id } : undefined;
}

function isRoute(pattern: string): pattern is Route {
  return KNOWN.has(pattern);
}
