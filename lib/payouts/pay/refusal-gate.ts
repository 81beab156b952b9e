import {
  createRefusalStreak,
  refusedAs,
  REFUSALS_IN_A_ROW,
} from "../../provider/refusal-streak.ts";
import { refusesAll } from "../../provider/faults.ts";
import type { RunFault } from "../../support/verdict.ts";
import type { Answer } from "../../provider/index.ts";

/** A payout itself, or the contact and fund account that it needs first. */
type Asked = "payout" | "destination";

/** Lets requests that may be refused through, and none more once the provider refuses all of them. */
export interface RefusalGate {
  /** Why nothing more is let through. */
  readonly fault: RunFault | undefined;
  /** The answer, or undefined when the gate has closed: then nothing was sent. */
  ask<T>(
    asked: Asked,
    request: () => Promise<Answer<T>>,
    signal: AbortSignal,
  ): Promise<Answer<T> | undefined>;
}

/** After so many accepted payouts in a row, requests need not wait for each other any more. */
const TRUSTED_AFTER = 50;

/**
 * Requests under way and refusals in a row are five together at most, so a sixth request is never sent to a
 * provider that refuses each with one description. Only after fifty accepted payouts in a row are more under
 * way: then those that had left before the fifth refusal came are answered as well.
 */
export function createRefusalGate(): RefusalGate {
  const streak = createRefusalStreak();
  const waiting: (() => void)[] = [];
  let underWay = 0;
  let acceptedInARow = 0;
  let refusedPayouts = 0;
  let fault: RunFault | undefined;

  /** A function, because the value may change during an await. */
  const isClosed = (): boolean => fault !== undefined;
  const isFree = (): boolean =>
    acceptedInARow >= TRUSTED_AFTER || underWay + streak.count < REFUSALS_IN_A_ROW;
  const letIn = (): void => {
    while (waiting.length > 0 && (isClosed() || isFree())) {
      underWay++;
      waiting.shift()?.();
    }
  };
  /** Resolves when the request may leave, or when it must not any more. */
  const take = async (signal: AbortSignal): Promise<void> => {
    if (signal.aborted || (waiting.length === 0 && isFree())) {
      underWay++;
      return;
    }
    await new Promise<void>((resolve) => {
      const enter = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      // The call itself tells that the run is stopping, and sends nothing.
      const giveUp = (): void => {
        const index = waiting.indexOf(enter);
        if (index === -1) return;
        waiting.splice(index, 1);
        underWay++;
        enter();
      };
      waiting.push(enter);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  };

  const note = (asked: Asked, answer: Answer<unknown>): void => {
    if (answer.kind === "accepted") {
      if (asked === "payout") acceptedInARow++;
      // A contact that is made says nothing of payouts that are refused.
      if (asked === "payout" || refusedPayouts === 0) streak.accepted();
      if (streak.count === 0) refusedPayouts = 0;
    }
    if (answer.kind !== "refused") return;
    acceptedInARow = 0;
    streak.refused(refusedAs(answer.failure));
    if (streak.count === 1) refusedPayouts = 0;
    if (asked === "payout") refusedPayouts++;
    if (streak.count >= REFUSALS_IN_A_ROW) fault ??= refusesAll(streak.description ?? "");
  };

  return {
    get fault() {
      return fault;
    },
    async ask(asked, request, signal) {
      if (isClosed()) return undefined;
      await take(signal);
      try {
        // Other refusals may have come while this one waited.
        if (isClosed()) return undefined;
        const answer = await request();
        note(asked, answer);
        return answer;
      } finally {
        underWay--;
        letIn();
      }
    },
  };
}
