import * as z from "zod";
import type { DashboardRefund, NewDispute, NewOrder, NewPayment } from "./checkout-control.ts";
import type { DisputeState, PaymentState, RefundState } from "./checkout-states.ts";
import type { SandboxControl } from "./control.ts";
import type { Fault } from "./faults.ts";
import { PAYOUT_STATES } from "./states.ts";

export interface ControlAnswer {
  status: number;
  body: object;
}

const balanceSchema = z.union([
  z.strictObject({ balancePaise: z.int().min(0) }),
  z.strictObject({ addPaise: z.int() }),
]);
const moveSchema = z.strictObject({
  status: z.enum(PAYOUT_STATES),
  reason: z.string().min(1).optional(),
});

/** Answers `/__sandbox/…`. Any problem of a request is a 400 that names it. */
export function answerControl(
  control: SandboxControl,
  call: { method: string; path: string; rawBody: string },
): ControlAnswer {
  try {
    const body = route(control, call);
    if (body) return { status: 200, body };
  } catch (thrown) {
    const description = thrown instanceof Error ? thrown.message : "not a valid request";
    return { status: 400, body: { error: { description } } };
  }
  const description = `There is no ${call.method} ${call.path}; see docs/sandbox.md.`;
  return { status: 404, body: { error: { description } } };
}

function route(
  control: SandboxControl,
  { method, path, rawBody }: { method: string; path: string; rawBody: string },
): object | undefined {
  const [, kind, moved = ""] =
    /^\/(payouts|payments|refunds|disputes)\/([^/]+)\/status$/.exec(path) ?? [];
  if (method === "POST" && kind === "payouts") {
    const { status, reason } = parse(moveSchema, rawBody);
    return control.movePayout(moved, { status, ...(reason === undefined ? {} : { reason }) });
  }
  // Here and below the control validates its input, so the casts let nothing through.
  if (method === "POST" && kind === "payments")
    return control.movePayment(moved, json(rawBody) as { status: PaymentState });
  if (method === "POST" && kind === "refunds")
    return control.moveRefund(moved, json(rawBody) as { status: RefundState });
  if (method === "POST" && kind === "disputes")
    return control.moveDispute(moved, json(rawBody) as { status: DisputeState });
  switch (`${method} ${path}`) {
    case "GET /payouts":
      return listed(control.payouts());
    case "GET /calls":
      return { total: control.callCount(), ...listed(control.calls()) };
    case "GET /faults":
      return listed(control.faults());
    case "POST /faults":
      control.addFaults(json(rawBody) as Fault[]);
      return listed(control.faults());
    case "DELETE /faults":
      control.clearFaults();
      return listed([]);
    case "GET /balance":
      return control.account();
    case "POST /balance":
      return control.changeBalance(parse(balanceSchema, rawBody));
    case "POST /fees":
      return control.collectFees();
    case "GET /orders":
      return listed(control.orders());
    case "POST /orders":
      return control.createOrder(json(rawBody) as NewOrder);
    case "GET /payments":
      return listed(control.payments());
    case "POST /payments":
      return control.createPayment(json(rawBody) as NewPayment);
    case "GET /refunds":
      return listed(control.refunds());
    case "POST /refunds":
      return control.refundInDashboard(json(rawBody) as DashboardRefund);
    case "GET /disputes":
      return listed(control.disputes());
    case "POST /disputes":
      return control.createDispute(json(rawBody) as NewDispute);
    case "GET /payments-balance":
      return control.paymentsAccount();
    case "POST /payments-balance":
      return control.changePaymentsBalance(parse(balanceSchema, rawBody));
    case "POST /reset":
      control.reset();
      return control.account();
    default:
      return undefined;
  }
}

function listed(items: unknown[]): { count: number; items: unknown[] } {
  return { count: items.length, items };
}

function parse<Output>(schema: z.ZodType<Output>, rawBody: string): Output {
  const result = schema.safeParse(json(rawBody));
  if (result.success) return result.data;
  throw new Error(z.prettifyError(result.error));
}

function json(rawBody: string): unknown {
  try {
    return JSON.parse(rawBody);
  } catch {
    throw new Error("the request body is not valid JSON");
  }
}
