import type { ApiRequest } from "./api-request.ts";
import { invalid, Refusal } from "./errors.ts";
import type { JsonObject } from "./fields.ts";
import { parseJsonObject } from "./fields.ts";
import type { FundAccount } from "./fund-accounts.ts";
import { requireIdempotencyKey } from "./idempotency.ts";
import type { Collection } from "./paging.ts";
import { collection, filterOf, pageOf } from "./paging.ts";
import { payoutJson } from "./payout-json.ts";
import type { Payee } from "./payout-request.ts";
import { parsePayoutRequest } from "./payout-request.ts";
import type { Payout, PayoutFilter } from "./payout-book.ts";
import type { World, WorldSettings } from "./world.ts";

/**
 * One key, one payout, also for two requests in flight. Nothing is awaited between finding the key and storing
 * it, so the second request always finds the first one's payout. A used key answers the payout in its latest
 * state.
 */
export function createPayout(world: World, request: ApiRequest): JsonObject {
  const key = requireIdempotencyKey(request.idempotencyKey);
  const { rawBody } = request;
  const used = world.keys.find(key, rawBody);
  if (used && "refusal" in used) throw used.refusal;
  if (used) {
    world.payouts.settleDue();
    return payoutJson(used.made);
  }
  try {
    const payout = takeUp(world, request, key);
    world.keys.remember(key, rawBody, { made: payout });
    return payoutJson(payout);
  } catch (thrown) {
    if (thrown instanceof Refusal && world.settings.refusalUsesKey)
      world.keys.remember(key, rawBody, { refusal: thrown });
    throw thrown;
  }
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

function takeUp(world: World, { rawBody, course }: ApiRequest, idempotencyKey: string): Payout {
  const request = parsePayoutRequest(parseJsonObject(rawBody), {
    accountNumber: world.settings.accountNumber,
    fundAccount: (id) => world.fundAccounts.get(id),
    contact: (id) => world.contacts.get(id),
  });
  return world.payouts.create({
    request,
    idempotencyKey,
    course,
    payee: () => fundAccountOf(world, request.payee),
  });
}

function fundAccountOf({ contacts, fundAccounts }: World, payee: Payee): FundAccount {
  if (payee.form === "existing") return payee.fundAccount;
  const contact = "id" in payee.contact ? payee.contact : contacts.create(payee.contact);
  return fundAccounts.create(contact, payee.details);
}
