import { transactionJson } from "./account.ts";
import type { ApiRequest, Handler } from "./api-request.ts";
import { CHECKOUT_HANDLERS } from "./checkout-calls.ts";
import { contactJson, parseContact } from "./contacts.ts";
import { existing, invalid } from "./errors.ts";
import type { JsonObject } from "./fields.ts";
import { allowOnly, optionalText, parseJsonObject, requiredText } from "./fields.ts";
import { fundAccountJson, parseFundAccountDetails } from "./fund-accounts.ts";
import { cancelPayout, createPayout, listPayouts, readJson } from "./payout-calls.ts";
import { collection, newestFirst, pageOf } from "./paging.ts";
import type { Route } from "./routes.ts";
import type { World } from "./world.ts";

export const HANDLERS: Readonly<Record<Route, Handler>> = {
  ...CHECKOUT_HANDLERS,

  "POST /contacts": ({ contacts }, { rawBody }) =>
    contactJson(contacts.create(parseContact(parseJsonObject(rawBody)))),
  "GET /contacts": ({ contacts }, { query }) => collection(contacts.list(query).map(contactJson)),
  "GET /contacts/:id": ({ contacts }, { id }) => contactJson(existing(contacts.get(id))),
  "PATCH /contacts/:id": ({ contacts }, { id, rawBody }) => {
    const contact = existing(contacts.get(id));
    contacts.update(contact, parseJsonObject(rawBody));
    return contactJson(contact);
  },

  "POST /fund_accounts": createFundAccount,
  "GET /fund_accounts": ({ fundAccounts }, { query }) =>
    collection(fundAccounts.list(query).map(fundAccountJson)),
  "GET /fund_accounts/:id": ({ fundAccounts }, { id }) =>
    fundAccountJson(existing(fundAccounts.get(id))),
  "PATCH /fund_accounts/:id": ({ fundAccounts }, { id, rawBody }) => {
    const fundAccount = existing(fundAccounts.get(id));
    fundAccounts.update(fundAccount, parseJsonObject(rawBody));
    return fundAccountJson(fundAccount);
  },

  "POST /payouts": createPayout,
  "GET /payouts": (world, request) => {
    requireOwnAccount(world, request.query);
    return listPayouts(world, request);
  },
  "GET /payouts/:id": ({ payouts, settings }, { id }) => {
    payouts.settleDue();
    return readJson(settings, existing(payouts.get(id)));
  },
  "POST /payouts/:id/cancel": (world, request) => {
    const payout = existing(world.payouts.get(request.id));
    if (request.rawBody !== "") {
      const body = parseJsonObject(request.rawBody);
      allowOnly(body, ["remarks"]);
      optionalText(body, "remarks", {});
    }
    return cancelPayout(world, payout);
  },

  "GET /transactions": (world, { query }) => {
    requireOwnAccount(world, query);
    world.payouts.settleDue();
    const page = newestFirst(world.account.transactions(), pageOf(query));
    return collection(page.map((row) => transactionJson(row, world.settings.accountNumber)));
  },
  "GET /transactions/:id": (world, { id }) =>
    transactionJson(existing(world.account.transaction(id)), world.settings.accountNumber),
  "GET /banking_balances": (world) => {
    world.payouts.settleDue();
    return collection([balanceJson(world)]);
  },
};

function createFundAccount({ contacts, fundAccounts }: World, { rawBody }: ApiRequest): JsonObject {
  const body = parseJsonObject(rawBody);
  allowOnly(body, ["contact_id", "account_type", "bank_account", "vpa"]);
  const contact = contacts.get(requiredText(body, "contact_id", {}));
  if (!contact) throw invalid("contact_id", "The id provided does not exist");
  if (!contact.active) throw invalid("contact_id", "The contact is not active.");
  return fundAccountJson(fundAccounts.create(contact, parseFundAccountDetails(body)));
}

function balanceJson({ account, settings }: World): JsonObject {
  const { balancePaise } = account.summary();
  return {
    entity: "banking_balance",
    currency: "INR",
    account_number: settings.accountNumber,
    account_type: settings.accountKind === "lite" ? "razorpayx_lite" : "current_account",
    bank_name: null,
    bank_code: null,
    amount: balancePaise,
    available_amount: balancePaise,
    refreshed_at: Math.floor(settings.clock.now().getTime() / 1000),
  };
}

function requireOwnAccount({ settings }: World, query: URLSearchParams): void {
  const accountNumber = query.get("account_number");
  if (accountNumber === null)
    throw invalid("account_number", "The account_number field is required.");
  if (accountNumber !== settings.accountNumber)
    throw invalid("account_number", "The account_number is not an account of this business.");
}
