import * as z from "zod";
import { argumentErrors, checkedId, windowQuery, withQuery } from "./arguments.ts";
import type { RazorpayPorts } from "./caller.ts";
import { connect } from "./connect.ts";
import type {
  FundAccountInput,
  PayoutRequest,
  PayoutProvider,
} from "../provider/payout-provider.ts";
import type { ProviderPayout } from "../provider/entities.ts";
import { parseJson } from "../provider/json.ts";
import {
  balancesReader,
  readContact,
  readFundAccount,
  payoutReader,
  payoutsReader,
  readTransactions,
} from "./read-entities.ts";
import { expecting } from "./reading.ts";
import type { RazorpayXSettings } from "./contract.ts";

const badArgument = argumentErrors("RazorpayX");

/**
 * A client of RazorpayX. It keeps one rate limit for all its calls, so make one per process. Its
 * first call loads the HTTP client. Import this module dynamically, so that a job which never pays
 * doesn't load it.
 */
export function createRazorpayX(settings: RazorpayXSettings, ports: RazorpayPorts): PayoutProvider {
  const { accountNumber, accountKind = "lite", requestsPerSecond } = settings;
  const readPayout = payoutReader(accountNumber);
  const readPayouts = payoutsReader(accountNumber);
  const perform = connect(settings, ports);

  return {
    accountNumber,
    accountKind,
    requestsPerSecond,

    createContact: async (input, options) =>
      perform(
        {
          operation: "create contact",
          call: "create-record",
          request: {
            method: "POST",
            path: "/contacts",
            body: JSON.stringify({
              name: input.name,
              type: input.type,
              reference_id: input.referenceId,
            }),
          },
          read: expecting(readContact, (contact) =>
            contact.referenceId === input.referenceId ? undefined : "another reference_id",
          ),
        },
        options?.signal,
      ),

    createFundAccount: async (input, options) =>
      perform(
        {
          operation: "create fund account",
          call: "create-record",
          request: { method: "POST", path: "/fund_accounts", body: fundAccountBody(input) },
          read: expecting(readFundAccount, (account) =>
            account.contactId === input.contactId ? undefined : "another contact_id",
          ),
        },
        options?.signal,
      ),

    createPayout: async (request, options) => {
      const asked = readPayoutRequest(request);
      return perform(
        {
          operation: "create payout",
          call: "create-payout",
          request: {
            method: "POST",
            path: "/payouts",
            body: request.body,
            headers: { "X-Payout-Idempotency": request.idempotencyKey },
          },
          resend: request.resend,
          read: expecting(readPayout, (payout) => differenceFrom(asked, payout)),
        },
        options?.signal,
      );
    },

    fetchPayout: async (id, options) =>
      perform(
        {
          operation: "fetch payout",
          call: "fetch",
          request: { method: "GET", path: `/payouts/${checkedId(id, badArgument)}` },
          read: expecting(readPayout, (payout) => (payout.id === id ? undefined : "another id")),
        },
        options?.signal,
      ),

    findPayoutsByReference: async (referenceId, options) => {
      if (referenceId.trim() === "") throw badArgument("referenceId", "a reference, not empty");
      return perform(
        {
          operation: "find payouts by reference",
          call: "list",
          request: {
            method: "GET",
            path: withQuery("/payouts", {
              account_number: accountNumber,
              reference_id: referenceId,
              count: "100",
            }),
          },
          read: expecting(readPayouts, (payouts) =>
            payouts.every((payout) => payout.referenceId === referenceId)
              ? undefined
              : "payouts of another reference_id",
          ),
        },
        options?.signal,
      );
    },

    listPayouts: async (filter, options) =>
      perform(
        {
          operation: "list payouts",
          call: "list",
          request: {
            method: "GET",
            path: withQuery("/payouts", {
              account_number: accountNumber,
              ...(filter.status === undefined ? {} : { status: filter.status }),
              ...windowQuery(filter, badArgument),
            }),
          },
          read: readPayouts,
        },
        options?.signal,
      ),

    cancelPayout: async (id, options) =>
      perform(
        {
          operation: "cancel payout",
          call: "cancel-payout",
          request: { method: "POST", path: `/payouts/${checkedId(id, badArgument)}/cancel` },
          read: expecting(readPayout, (payout) => (payout.id === id ? undefined : "another id")),
        },
        options?.signal,
      ),

    listTransactions: async (filter, options) =>
      perform(
        {
          operation: "list transactions",
          call: "list",
          request: {
            method: "GET",
            path: withQuery("/transactions", {
              account_number: accountNumber,
              ...windowQuery(filter, badArgument),
            }),
          },
          read: readTransactions,
        },
        options?.signal,
      ),

    balances: async (options) =>
      perform(
        {
          operation: "fetch balances",
          call: "list",
          request: { method: "GET", path: "/banking_balances" },
          read: balancesReader(accountNumber),
        },
        options?.signal,
      ),
  };
}

function fundAccountBody({ contactId, account }: FundAccountInput): string {
  const details =
    account.kind === "vpa"
      ? { vpa: { address: account.vpa } }
      : {
          bank_account: {
            name: account.name,
            ifsc: account.ifsc,
            account_number: account.accountNumber,
          },
        };
  return JSON.stringify({ contact_id: contactId, account_type: account.kind, ...details });
}

const payoutBody = z.object({
  amount: z.int().positive().transform(BigInt),
  reference_id: z.string().min(1),
  fund_account_id: z.string().min(1),
});

const IDEMPOTENCY_KEY = /^[A-Za-z0-9_-]{4,36}$/;

function readPayoutRequest(request: PayoutRequest): z.infer<typeof payoutBody> {
  if (!IDEMPOTENCY_KEY.test(request.idempotencyKey)) {
    throw badArgument("idempotencyKey", "4 to 36 letters, digits, hyphens or underscores");
  }
  const parsed = payoutBody.safeParse(parseJson(request.body));
  if (!parsed.success) {
    throw badArgument("body", "JSON with amount, reference_id and fund_account_id");
  }
  return parsed.data;
}

function differenceFrom(
  asked: z.infer<typeof payoutBody>,
  payout: ProviderPayout,
): string | undefined {
  if (payout.amountPaise !== asked.amount) return "another amount than was asked for";
  if (payout.referenceId !== asked.reference_id) return "another reference_id than was asked for";
  if (payout.fundAccountId !== asked.fund_account_id) {
    return "another fund_account_id than was asked for";
  }
  return undefined;
}
