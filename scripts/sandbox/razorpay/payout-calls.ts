import type { ApiRequest } from "./api-request.ts";
import { invalid } from "./errors.ts";
import type { JsonObject } from "./fields.ts";
import { parseJsonObject } from "./fields.ts";
import { requireIdempotencyKey } from "./idempotency.ts";
import type { Collection } from "./paging.ts";
import { collection, filterOf, pageOf } from "./paging.ts";
import { payoutJson } from "./payout-json.ts";
import { parsePayoutRequest } from "./payout-request.ts";
import type { Payout, PayoutFilter } from "./payout-book.ts";
import type { World, WorldSettings } from "./world.ts";

/** One key, one payout. A used key answers the payout in its latest state. */
export function createPayout(world: World, request: ApiRequest): JsonObject {
  const { keys, payouts } = world;
  const idempotencyKey = requireIdempotencyKey(request.idempotencyKey);
  const { rawBody, course } = request;
  return keys.once(idempotencyKey, rawBody, {
    make: () =>
      payouts.create({
        request: parsePayoutRequest(parseJsonObject(rawBody), {
          accountNumber: world.settings.accountNumber,
          fundAccount: (id) => world.fundAccounts.get(id),
        }),
        idempotencyKey,
        course,
      }),
    first: payoutJson,
    again: (payout) => {
      payouts.settleDue();
      return payoutJson(payout);
    },
  });
}

export function listPayouts({ payouts, settings }: World, { query }: ApiRequest): Collection {
  const filters = {
    referenceId: filterOf(query, "reference_id"),
    fundAccountId: filterOf(query, "fund_account_id"),
    contactId: filterOf(query, "contact_id"),
    mode: filterOf(query, "mode"),
    status: filterOf(query, "status"),
  };
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  const filter: PayoutFilter = Object.fromEntries(given);
  const page = pageOf(query);
  payouts.settleDue();
  return collection(payouts.list(filter, page).map((payout) => readJson(settings, payout)));
}

/** A payout that is read also says which account it was paid from. */
export function readJson({ accountNumber }: WorldSettings, payout: Payout): JsonObject {
  return { ...payoutJson(payout), debit_account_number: accountNumber };
}

/** Only from `queued`; does not let time pass first, so a queued payout is still there to be cancelled. */
export function cancelPayout({ payouts }: World, payout: Payout): JsonObject {
  if (payout.state !== "queued")
    throw invalid("status", "Only a payout in the queued state can be cancelled.");
  payouts.move(payout, "cancelled");
  return payoutJson(payout);
}
