import { letTimePass, openWorld, type World } from "../world.ts";
import type { SimulatedProcess } from "../process.ts";
import type { MarketArena } from "./arena.ts";
import { openStalls, type Buyer, type Plan } from "./population.ts";

/** Money that the provider has captured, as its webhook would tell it. */
export interface CaptureNews {
  orderId: string;
  providerPaymentId: string;
  amountPaise: bigint;
}

/** The mail server took a mail. */
export interface HandedOver {
  mailId: string;
  by: SimulatedProcess;
  /** Whether the run was told so. */
  acknowledged: boolean;
}

/** One seed's marketplace: the world of the payout cycle, with plans, buyers and their checkouts in it. */
export interface Market extends World {
  readonly arena: MarketArena;
  readonly plans: readonly Plan[];
  readonly buyers: readonly Buyer[];
  /** Orders whose buyers can pay. */
  readonly orders: string[];
  /** Captures that no webhook has told us yet. Some never will be told. */
  readonly untold: CaptureNews[];
  /** Bookings whose buyers have left, by their ids. */
  readonly left: Set<string>;
  readonly handedOver: HandedOver[];
  /** Runs in whose time the database failed, or that died: what they had in hand may be done twice. */
  readonly shaken: Set<SimulatedProcess>;
  /** What the marketplace could not do, until the moment is judged. */
  readonly refused: string[];
  /** Bookings and entries made so far, for their names. */
  made: number;
  /** How long everything has been aged in all. */
  agedMarketMinutes: number;
  mailFaultRate: number;
  /** For so long the mail server is away. */
  mailAwayMinutes: number;
  /** Events that somebody has cancelled or tried to. */
  readonly cancelAsked: Set<string>;
  /** The end of the story: nothing goes wrong any more. */
  isMended: boolean;
}

export async function openMarket(arena: MarketArena, seed: number): Promise<Market> {
  const world = await openWorld(arena, seed);
  const { chance, people } = world;
  const { plans, buyers } = await openStalls(arena.database, chance, people);
  world.story.push(
    `${plans.map(({ name, capacity }) => (capacity === null ? name : `${name} of ${capacity} seats`)).join(", ")}; ${buyers.length} buyers`,
  );
  return Object.assign(world, {
    arena,
    plans,
    buyers,
    orders: [],
    untold: [],
    left: new Set<string>(),
    handedOver: [],
    shaken: new Set<SimulatedProcess>(),
    refused: [],
    made: 0,
    agedMarketMinutes: 0,
    mailFaultRate: chance.pick([0, 0.15, 0.3]),
    mailAwayMinutes: 0,
    cancelAsked: new Set<string>(),
    isMended: false,
  });
}

/** An order is asked about for seven days after its hold has ended; the end of the story takes two of them. */
export const MOST_AGED_MINUTES = 4 * 24 * 60;

/** So many minutes pass for plans, checkouts, waitlists and mail as well. */
export async function letMarketTimePass(
  market: Market,
  wanted: number,
  { most = MOST_AGED_MINUTES }: { most?: number } = {},
): Promise<void> {
  const minutes = Math.min(wanted, most - market.agedMarketMinutes);
  if (minutes <= 0) return;
  await letTimePass(market, minutes);
  market.agedMarketMinutes += minutes;
  market.mailAwayMinutes = Math.max(0, market.mailAwayMinutes - minutes);
  await market.arena.database.query(ageing(`interval '${minutes} minutes'`));
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  plans: ["starts_at", "cancelled_at"],
  bookings: ["requested_at", "updated_at"],
  released_slots: ["released_at"],
  payments: ["captured_at", "expired_at", "asked_at", "created_at", "updated_at"],
  payment_legs: ["released_at"],
  refunds: ["created_at", "settled_at"],
  refund_legs: ["claimed_at", "sent_at", "settled_at"],
  // A refund that was settled before the earning was recorded is no part of what the consultant bears.
  earnings: ["created_at"],
  earning_refunds: ["created_at"],
  earning_recoveries: ["created_at"],
  waitlist_entries: ["joined_at", "notified_at", "told_at", "expires_at", "ended_at"],
  provider_lists: ["read_until"],
  provider_refunds: ["made_at", "first_seen_at", "seen_at", "matched_at"],
  disputes: ["respond_by", "raised_at", "first_seen_at", "updated_at", "ended_at"],
  outbox_mails: ["due_at", "deliver_until", "claimed_until", "created_at", "settled_at"],
};

/**
 * Triggers are off meanwhile: they would renew what is to grow old. Slots go one by one, the earliest first, so
 * that none meets another on its way.
 */
function ageing(by: string): string {
  const updates = Object.entries(COLUMNS).map(
    ([table, columns]) =>
      `UPDATE ${table} SET ${columns.map((name) => `${name} = ${name} - ${by}`).join(", ")};`,
  );
  return `
    SET session_replication_role = replica;
    ${updates.join("\n")}
    UPDATE appointments SET starts_at = starts_at - ${by}, ends_at = ends_at - ${by};
    DO $$
    DECLARE slot record;
    BEGIN
      FOR slot IN SELECT id FROM slots ORDER BY starts_at, id LOOP
        UPDATE slots SET starts_at = starts_at - ${by}, ends_at = ends_at - ${by},
               created_at = created_at - ${by}, updated_at = updated_at - ${by} WHERE id = slot.id;
      END LOOP;
    END $$;
    SET session_replication_role = DEFAULT`;
}
