import { seconds } from "../../support/clock.ts";
import { AfterhoursError } from "../../support/errors.ts";
import {
  describeServerFault,
  fetchFault,
  httpFault,
  type ServerFault,
} from "../../support/server-fault/index.ts";

/** The messages to a dead man's switch: a run that never pings did not happen. */
type Beat = "start" | "success" | "fail";

const TIMEOUT_MS = seconds(5);
/** A run that was told to stop has seconds left in all. */
const HURRIED_TIMEOUT_MS = seconds(1);

/**
 * Pings a monitor of the healthchecks kind: `<url>/start`, `<url>`, `<url>/fail`, each with the run as
 * `rid`. Bounded in time, and a ping that fails is only returned, never thrown.
 */
export async function sendHeartbeat(
  url: string,
  { beat, runId, hurry = false }: { beat: Beat; runId: string; hurry?: boolean },
): Promise<Error | undefined> {
  const target = new URL(url);
  if (beat !== "success") target.pathname = `${target.pathname.replace(/\/$/, "")}/${beat}`;
  target.searchParams.set("rid", runId);
  try {
    const response = await fetch(target, {
      method: "POST",
      // The address is a secret and names its customer: no answer may redirect the request.
      redirect: "manual",
      signal: AbortSignal.timeout(hurry ? HURRIED_TIMEOUT_MS : TIMEOUT_MS),
    });
    // Nothing of the answer is read but its status, however long it is.
    await response.body?.cancel();
    return response.ok ? undefined : new MonitorError(httpFault(response.status));
  } catch (error) {
    return new MonitorError(fetchFault(error), error);
  }
}

/** The monitor was not told, or did not take it. Its address is a secret, and is not named. */
class MonitorError extends AfterhoursError {
  override readonly name = "MonitorError";

  constructor(fault: ServerFault, cause?: unknown) {
    const { message, remedy } = describeServerFault(fault, {
      name: "the monitor",
      type: "monitor",
    });
    super("MONITOR_NOT_TOLD", message, { remedy, cause });
  }
}
