import type { Clock } from "../../../lib/support/clock.ts";
import { invalid } from "./errors.ts";
import type { JsonObject, Notes } from "./fields.ts";
import {
  allowOnly,
  notesJson,
  optionalNotes,
  optionalText,
  requiredPaise,
  requiredText,
} from "./fields.ts";
import type { Ids } from "./ids.ts";

export type OrderState = "created" | "attempted" | "paid";

export interface Order {
  readonly id: string;
  readonly createdAtSeconds: number;
  readonly amountPaise: number;
  readonly receipt: string | null;
  notes: Notes;
  state: OrderState;
  attempts: number;
  paidPaise: number;
}

interface OrderDetails {
  amountPaise: number;
  receipt: string | null;
  notes: Notes;
}

export interface Orders {
  create(details: OrderDetails): Order;
  get(id: string): Order | undefined;
  /** Replaces the notes; every other field is refused. */
  update(order: Order, body: JsonObject): void;
  /** Oldest first. */
  all(): readonly Order[];
}

export function createOrders({ clock, ids }: { clock: Clock; ids: Ids }): Orders {
  const byId = new Map<string, Order>();
  return {
    create(details) {
      const order: Order = {
        id: ids.next("order"),
        createdAtSeconds: Math.floor(clock.now().getTime() / 1000),
        ...details,
        state: "created",
        attempts: 0,
        paidPaise: 0,
      };
      byId.set(order.id, order);
      return order;
    },
    get: (id) => byId.get(id),
    update(order, body) {
      allowOnly(body, ["notes"]);
      if (body["notes"] === undefined) throw invalid("notes", "The notes field is required.");
      order.notes = optionalNotes(body);
    },
    all: () => [...byId.values()],
  };
}

/** Throws a `Refusal` that names the first field at fault. */
export function parseOrder(body: JsonObject): OrderDetails {
  allowOnly(body, ["amount", "currency", "receipt", "notes"]);
  requiredText(body, "currency", { oneOf: ["INR"] });
  return {
    amountPaise: requiredPaise(body, "amount", 100),
    receipt: optionalText(body, "receipt", { max: 40 }),
    notes: optionalNotes(body),
  };
}

export function orderJson(order: Order): JsonObject {
  return {
    id: order.id,
    entity: "order",
    amount: order.amountPaise,
    amount_paid: order.paidPaise,
    amount_due: order.amountPaise - order.paidPaise,
    currency: "INR",
    receipt: order.receipt,
    offer_id: null,
    status: order.state,
    attempts: order.attempts,
    notes: notesJson(order.notes),
    created_at: order.createdAtSeconds,
  };
}
