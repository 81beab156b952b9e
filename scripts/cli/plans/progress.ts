import type { Progress } from "../../../lib/support/progress.ts";

/** So many bookings are a line of their own. */
const EACH = 50;

/** Tells how far a long cancellation is, a line at a time, which a log keeps as well. */
export function progressOn(stream: { write: (text: string) => unknown }): Progress {
  return {
    update: (done, total) => {
      if (done % EACH === 0) stream.write(`${done} of ${Math.max(done, total)} bookings\n`);
    },
  };
}
