/** Every call of the API that the sandbox answers, as `METHOD /path` with `:id` for an identifier. */
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
] as const;

export type Route = (typeof ROUTES)[number];

const KNOWN: ReadonlySet<string> = new Set(ROUTES);

/** The route of a call and the identifier in its path; undefined when there is no such call. */
export function routeOf(
  method: string,
  path: string,
): { route: Route; id: string | undefined } | undefined {
  const [resource, id, ...action] = path.slice(1).split("/");
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
