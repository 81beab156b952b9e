import type { ApiRequest } from "./api-request.ts";
import type { Contact } from "./contacts.ts";
import type { Subject } from "./fault-plan.ts";
import type { JsonObject } from "./fields.ts";
import { isJsonObject } from "./fields.ts";
import type { FundAccount } from "./fund-accounts.ts";
import type { Order } from "./orders.ts";
import type { Route } from "./routes.ts";
import type { World } from "./world.ts";

/**
 * The subject of a request, for faults to match on. This looks records up but validates nothing: a fault may
 * also meet a request that would be refused.
 */
export function subjectOf(world: World, route: Route, request: ApiRequest): Subject {
  const { idempotencyKey } = request;
  return {
    ...(idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey }),
    ...subjectOfResource(world, route, request),
  };
}

function subjectOfResource(world: World, route: Route, request: ApiRequest): Subject {
  const { contacts, fundAccounts, payouts } = world;
  switch (route) {
    case "POST /contacts":
      return ofContactBody(looseBody(request.rawBody));
    case "GET /contacts/:id":
    case "PATCH /contacts/:id":
      return ofContact(contacts.get(request.id));
    case "POST /fund_accounts": {
      const body = looseBody(request.rawBody);
      return { ...ofAccountBody(body), ...ofContact(contacts.get(String(body["contact_id"]))) };
    }
    case "GET /fund_accounts/:id":
    case "PATCH /fund_accounts/:id":
      return ofFundAccount(fundAccounts.get(request.id));
    case "POST /payouts":
      return ofPayoutBody(world, looseBody(request.rawBody));
    case "GET /payouts/:id":
    case "POST /payouts/:id/cancel": {
      const payout = payouts.get(request.id);
      if (!payout) return {};
      const { amountPaise, mode, referenceId } = payout.request;
      return {
        ...ofFundAccount(payout.request.fundAccount),
        ...texts({ reference_id: referenceId, mode }),
        amount: amountPaise,
      };
    }
    case "GET /contacts":
    case "GET /fund_accounts":
    case "GET /payouts":
    case "GET /transactions":
    case "GET /transactions/:id":
    case "GET /banking_balances":
    case "GET /payments":
    case "GET /refunds":
    case "GET /disputes":
      return texts({
        reference_id: request.query.get("reference_id"),
        mode: request.query.get("mode"),
      });
    case "GET /orders":
      return texts({ receipt: request.query.get("receipt") });
    case "POST /orders": {
      const { amount, receipt } = looseBody(request.rawBody);
      return { ...texts({ receipt }), ...(typeof amount === "number" ? { amount } : {}) };
    }
    case "GET /orders/:id":
    case "PATCH /orders/:id":
    case "GET /orders/:id/payments":
      return { order_id: request.id, ...ofOrder(world.orders.get(request.id)) };
    case "GET /payments/:id":
    case "GET /payments/:id/refunds":
      return { payment_id: request.id, ...ofOrder(world.payments.get(request.id)?.order) };
    case "POST /payments/:id/refund": {
      const { amount, receipt } = looseBody(request.rawBody);
      return {
        payment_id: request.id,
        ...texts({ receipt, order_id: world.payments.get(request.id)?.order.id }),
        ...(typeof amount === "number" ? { amount } : {}),
      };
    }
    case "GET /disputes/:id":
    case "POST /disputes/:id/accept": {
      const dispute = world.disputes.get(request.id);
      if (!dispute) return {};
      const { payment } = dispute;
      return {
        payment_id: payment.id,
        order_id: payment.order.id,
        amount: dispute.amountPaise,
      };
    }
    case "GET /refunds/:id": {
      const refund = world.refunds.get(request.id);
      if (!refund) return {};
      const { payment } = refund;
      return {
        payment_id: payment.id,
        order_id: payment.order.id,
        ...texts({ receipt: refund.request.receipt }),
        amount: refund.request.amountPaise,
      };
    }
  }
}

function ofPayoutBody(world: World, body: JsonObject): Subject {
  const { amount } = body;
  return {
    ...(typeof amount === "number" ? { amount } : {}),
    ...texts({ reference_id: body["reference_id"], mode: body["mode"] }),
    ...ofFundAccount(world.fundAccounts.get(String(body["fund_account_id"]))),
  };
}

function ofContactBody(body: JsonObject): Subject {
  const reference = body["reference_id"];
  return texts({ reference_id: reference, contact_reference: reference });
}

function ofAccountBody(body: JsonObject): Subject {
  return texts({
    account_number: objectIn(body, "bank_account")["account_number"],
    vpa: objectIn(body, "vpa")["address"],
  });
}

function ofFundAccount(fundAccount: FundAccount | undefined): Subject {
  if (!fundAccount) return {};
  const { details, contact } = fundAccount;
  return {
    ...ofContact(contact),
    ...(details.kind === "vpa"
      ? { vpa: details.address }
      : { account_number: details.accountNumber }),
  };
}

function ofOrder(order: Order | undefined): Subject {
  if (!order) return {};
  return {
    order_id: order.id,
    ...texts({ receipt: order.receipt }),
    amount: order.amountPaise,
  };
}

function ofContact(contact: Contact | undefined): Subject {
  return texts({ contact_reference: contact?.details.referenceId });
}

/** Keeps only texts. */
function texts(values: Record<string, unknown>): Subject {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => typeof value === "string"),
  );
}

function objectIn(body: JsonObject, field: string): JsonObject {
  const value = body[field];
  return isJsonObject(value) ? value : {};
}

function looseBody(rawBody: string): JsonObject {
  try {
    const value: unknown = JSON.parse(rawBody);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
