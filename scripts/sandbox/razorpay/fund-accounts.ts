import type { Clock } from "../../../lib/support/clock.ts";
import type { Contact } from "./contacts.ts";
import { activeFilter } from "./contacts.ts";
import { invalid } from "./errors.ts";
import type { JsonObject } from "./fields.ts";
import { allowOnly, optionalBoolean, requiredObject, requiredText } from "./fields.ts";
import type { Ids } from "./ids.ts";
import { filterOf, newestFirst, pageOf } from "./paging.ts";

export interface FundAccount {
  readonly id: string;
  readonly createdAtSeconds: number;
  readonly contact: Contact;
  /** Never change: new bank details are a new fund account. */
  readonly details: FundAccountDetails;
  active: boolean;
}

type FundAccountDetails =
  | { kind: "bank_account"; name: string; ifsc: string; accountNumber: string }
  | { kind: "vpa"; address: string };

export interface FundAccounts {
  /** A new fund account, or the existing one of this contact with the same details. */
  create(contact: Contact, details: FundAccountDetails): FundAccount;
  get(id: string): FundAccount | undefined;
  /** Changes `active`; every other field is refused. */
  update(fundAccount: FundAccount, body: JsonObject): void;
  list(query: URLSearchParams): FundAccount[];
}

const BANK_ACCOUNT_RULES = {
  name: { min: 3, max: 120 },
  ifsc: { min: 11, max: 11, pattern: /^[A-Z]{4}0[A-Z0-9]{6}$/ },
  account_number: { min: 5, max: 35, pattern: /^[a-zA-Z0-9]+$/ },
};
const VPA_RULE = { min: 3, max: 100, pattern: /^[^@\s]+@[^@\s]+$/ };

export function createFundAccounts(options: { clock: Clock; ids: Ids }): FundAccounts {
  const all: FundAccount[] = [];
  const byId = new Map<string, FundAccount>();
  const byDetails = new Map<string, FundAccount>();

  return {
    create(contact, details) {
      const identity = JSON.stringify([contact.id, details]);
      const existing = byDetails.get(identity);
      if (existing) return existing;
      const fundAccount: FundAccount = {
        id: options.ids.next("fa"),
        createdAtSeconds: Math.floor(options.clock.now().getTime() / 1000),
        contact,
        details,
        active: true,
      };
      all.push(fundAccount);
      byId.set(fundAccount.id, fundAccount);
      byDetails.set(identity, fundAccount);
      return fundAccount;
    },
    get: (id) => byId.get(id),
    update(fundAccount, body) {
      allowOnly(body, ["active"]);
      const active = optionalBoolean(body, "active");
      if (active === null) throw invalid("active", "The active field is required.");
      fundAccount.active = active;
    },
    list(query) {
      const contactId = filterOf(query, "contact_id");
      const kind = filterOf(query, "account_type");
      const active = activeFilter(query);
      return newestFirst(
        all,
        pageOf(query),
        (row) =>
          (contactId === undefined || row.contact.id === contactId) &&
          (kind === undefined || row.details.kind === kind) &&
          (active === undefined || row.active === active),
      );
    },
  };
}

/** The account part of a request: `account_type` and the details of that type. */
export function parseFundAccountDetails(body: JsonObject): FundAccountDetails {
  const kind = requiredText(body, "account_type", { oneOf: ["bank_account", "vpa"] });
  const other = kind === "vpa" ? "bank_account" : "vpa";
  if (body[other] !== undefined)
    throw invalid(other, `${other} should not be sent with account_type ${kind}.`);
  if (kind === "vpa") {
    const vpa = requiredObject(body, "vpa");
    allowOnly(vpa, ["address"]);
    return { kind, address: requiredText(vpa, "address", VPA_RULE) };
  }
  const bank = requiredObject(body, "bank_account");
  allowOnly(bank, Object.keys(BANK_ACCOUNT_RULES));
  return {
    kind: "bank_account",
    name: requiredText(bank, "name", BANK_ACCOUNT_RULES.name),
    ifsc: requiredText(bank, "ifsc", BANK_ACCOUNT_RULES.ifsc),
    accountNumber: requiredText(bank, "account_number", BANK_ACCOUNT_RULES.account_number),
  };
}

/** By the first letters of the IFSC; the provider knows more of them. */
const BANK_NAMES: ReadonlyMap<string, string> = new Map([
  ["HDFC", "HDFC Bank"],
  ["ICIC", "ICICI Bank"],
  ["KKBK", "Kotak Mahindra Bank"],
  ["SBIN", "State Bank of India"],
  ["UTIB", "Axis Bank"],
]);

export function fundAccountJson(fundAccount: FundAccount): JsonObject {
  const { details } = fundAccount;
  return {
    id: fundAccount.id,
    entity: "fund_account",
    contact_id: fundAccount.contact.id,
    account_type: details.kind,
    ...(details.kind === "vpa" ? { vpa: vpaJson(details.address) } : {}),
    ...(details.kind === "bank_account"
      ? {
          bank_account: {
            ifsc: details.ifsc,
            bank_name: BANK_NAMES.get(details.ifsc.slice(0, 4)) ?? null,
            name: details.name,
            notes: [],
            account_number: details.accountNumber,
          },
        }
      : {}),
    batch_id: null,
    active: fundAccount.active,
    created_at: fundAccount.createdAtSeconds,
  };
}

function vpaJson(address: string): JsonObject {
  const at = address.indexOf("@");
  return { username: address.slice(0, at), handle: address.slice(at + 1), address };
}
