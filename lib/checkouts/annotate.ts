import { toError } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import type { PaymentProvider } from "../provider/index.ts";

/**
 * Writes a note on the provider's order after its hold was released. No call cancels an order, so its payment
 * stays possible, and the note informs a reader. A failure only warns. Returns whether the note was written.
 */
export async function annotateReleased(
  { gateway, log, signal }: { gateway: PaymentProvider; log: Log; signal: AbortSignal },
  { orderId, notes }: { orderId: string; notes?: Readonly<Record<string, string>> },
): Promise<boolean> {
  try {
    const kept = notes ?? (await notesOf(gateway, orderId, signal));
    const annotated = { ...kept, afterhours: "hold released, not to be paid" };
    const answer = await gateway.annotateOrder(orderId, annotated, { signal });
    if (answer.kind === "accepted") return true;
    log.warn({ orderId, answer: answer.kind }, "the order could not be annotated");
  } catch (thrown) {
    log.warn({ orderId, err: toError(thrown) }, "the order could not be annotated");
  }
  return false;
}

/** An annotation may replace the notes that are there, so they are sent along. */
async function notesOf(
  gateway: PaymentProvider,
  orderId: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const order = await gateway.fetchOrder(orderId, { signal });
  if (order.kind === "accepted") return order.value.notes;
  throw new Error(`the order's notes could not be read: ${order.kind}`);
}
