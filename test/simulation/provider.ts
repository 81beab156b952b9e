import type { PayoutRecord, PayoutState } from "../../scripts/sandbox/razorpay/index.ts";
import type { Arena } from "./arena.ts";
import type { World } from "./world.ts";

/** What the provider may do next with a payout, and how often. Money that was paid may come back days later. */
const COURSES: Partial<
  Record<PayoutState, Readonly<Partial<Record<PayoutState | "stay", number>>>>
> = {
  processing: { processed: 5, failed: 1, reversed: 1, stay: 2 },
  queued: { processing: 3, cancelled: 1, failed: 1, stay: 1 },
  pending: { processing: 3, rejected: 1, stay: 1 },
  processed: { reversed: 1, stay: 7 },
};

/** The provider goes on with its work: each payout moves on, fails, comes back, or stays. */
export function moveAtProvider({ arena, chance, story }: World): void {
  for (const { id } of arena.sandbox.payouts()) {
    const status = statusOf(arena, id);
    const courses = COURSES[status];
    if (courses === undefined) continue;
    const next = chance.weighted(courses as Record<PayoutState | "stay", number>);
    if (next === "stay") continue;
    const reason = next === "failed" || next === "reversed" ? { reason: "gateway_down" } : {};
    arena.sandbox.movePayout(id, { status: next, ...reason });
    story.push(`  provider: ${status} to ${next}`);
  }
}

/** Money that was paid weeks ago comes back, of each payout perhaps. */
export function returnOldMoney({ arena, chance, story }: World): void {
  for (const { id, status } of arena.sandbox.payouts()) {
    if (status !== "processed" || !chance.happens(0.4)) continue;
    arena.sandbox.movePayout(id, { status: "reversed", reason: "gateway_down" });
    story.push("  provider: processed to reversed, late");
  }
}

/** The provider finishes what it has, and pays all of it. */
export function payEverything({ arena }: World): number {
  const open = arena.sandbox.payouts().filter(isOpen);
  for (const { id } of open) {
    if (statusOf(arena, id) !== "processing")
      arena.sandbox.movePayout(id, { status: "processing" });
    arena.sandbox.movePayout(id, { status: "processed" });
  }
  return open.length;
}

/** As it is now: money that comes back lets others out of the queue. */
function statusOf({ sandbox }: Arena, id: string): PayoutState {
  const payout = sandbox.payouts().find((each) => each.id === id);
  if (payout === undefined) throw new Error(`there is no payout ${id}`);
  return payout.status;
}

function isOpen({ status }: PayoutRecord): boolean {
  return status === "processing" || status === "queued" || status === "pending";
}

/** More money in the account. */
export function addMoney({ arena, chance, story }: World): void {
  arena.sandbox.changeBalance({ addPaise: chance.between(1, 1_000_000) });
  story.push("money is added to the account");
}
