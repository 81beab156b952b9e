import type { DisputeState } from "../../../scripts/sandbox/razorpay/index.ts";
import type { Market } from "./world.ts";

/** The provider sends back nothing below ₹1, and no refund leaves less than that. */
const LEAST_PAISE = 100;

/** What people do in the provider's dashboard, and buyers at their banks: no request of ours asked for it. */
export function actOutside(market: Market): void {
  const act = market.chance.weighted({ refund: 5, dispute: 3, course: 5 });
  if (act === "refund") refundInDashboard(market);
  else if (act === "dispute") raiseDispute(market);
  else moveDisputes(market);
}

/** Whole or half of what is left of any captured payment, also of one that we do not know of yet. */
function refundInDashboard({ arena: { sandbox }, chance, story }: Market): void {
  const left = sandbox
    .payments()
    .filter(({ captured }) => captured)
    .map(({ id, amount, amount_refunded: back }) => ({ paymentId: id, paise: amount - back }))
    .filter(({ paise }) => paise >= LEAST_PAISE);
  if (left.length === 0) return;
  const { paymentId, paise } = chance.pick(left);
  const isHalf = paise >= 2 * LEAST_PAISE && chance.happens(0.5);
  const status = chance.pick(["processed", "processed", "pending"] as const);
  try {
    sandbox.refundInDashboard({
      paymentId,
      status,
      ...(isHalf ? { amountPaise: Math.floor(paise / 2) } : {}),
    });
  } catch {
    story.push("  dashboard: a refund that the balance does not cover");
    return;
  }
  story.push(`  dashboard: ${isHalf ? "half" : "all"} of a payment is refunded, ${status}`);
}

/** Of all or half of a payment, also of one of which some went back. */
function raiseDispute({ arena: { sandbox }, chance, story }: Market): void {
  const disputed = new Set(sandbox.disputes().map(({ payment_id }) => payment_id));
  const payments = sandbox.payments().filter(({ id, captured }) => captured && !disputed.has(id));
  if (payments.length === 0) return;
  const { id: paymentId, amount } = chance.pick(payments);
  const isHalf = amount >= 2 * LEAST_PAISE && chance.happens(0.3);
  sandbox.createDispute({
    paymentId,
    ...(isHalf ? { amountPaise: Math.floor(amount / 2) } : {}),
  });
  story.push(`  bank: ${isHalf ? "half" : "all"} of a payment is disputed`);
}

type Course = Exclude<DisputeState, "open"> | "stay";

function moveDisputes({ arena: { sandbox }, chance, story }: Market): void {
  for (const { id, status } of sandbox.disputes()) {
    if (status !== "open" && status !== "under_review") continue;
    const next: Course = chance.weighted({ under_review: 3, won: 2, lost: 4, closed: 1, stay: 2 });
    if (next === "stay" || next === status) continue;
    if (end(sandbox, id, next)) story.push(`  bank: a dispute is ${next}`);
  }
}

/** Each dispute ends. How many have. */
export function endDisputes({ arena: { sandbox }, chance, story }: Market): number {
  const open = sandbox
    .disputes()
    .filter(({ status }) => status === "open" || status === "under_review");
  for (const { id } of open) {
    const wanted = chance.pick(["won", "lost", "lost"] as const);
    const state = end(sandbox, id, wanted) ? wanted : "won";
    if (state !== wanted) end(sandbox, id, state);
    story.push(`  bank: a dispute is ${state}`);
  }
  return open.length;
}

/** False where the balance does not cover what is lost. */
function end(
  sandbox: Market["arena"]["sandbox"],
  id: string,
  status: Exclude<Course, "stay">,
): boolean {
  try {
    sandbox.moveDispute(id, { status });
    return true;
  } catch {
    return false;
  }
}
