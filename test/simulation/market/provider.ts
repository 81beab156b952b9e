import type { Market } from "./world.ts";

/** The bank goes on with refunds: each is processed, fails, or stays. */
export function moveRefunds({ arena, chance, story }: Market): void {
  for (const { id, status } of arena.sandbox.refunds()) {
    if (status !== "pending") continue;
    const next = chance.weighted({ processed: 5, failed: 1, stay: 3 });
    if (next === "stay") continue;
    arena.sandbox.moveRefund(id, { status: next });
    story.push(`  provider: refund pending to ${next}`);
  }
}

/** Every refund is processed, and the bank makes up its mind about what is only authorized. How much that was. */
export function settleEverything({ arena, chance }: Market): number {
  let settled = 0;
  for (const { id, status } of arena.sandbox.refunds()) {
    if (status !== "pending") continue;
    arena.sandbox.moveRefund(id, { status: "processed" });
    settled++;
  }
  for (const { id, status, order_id } of arena.sandbox.payments()) {
    if (status !== "authorized") continue;
    const order = arena.sandbox.orders().find((each) => each.id === order_id);
    const captures = order?.status !== "paid" && chance.happens(0.5);
    arena.sandbox.movePayment(id, { status: captures ? "captured" : "failed" });
    settled++;
  }
  return settled;
}
