import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createRazorpayX } from "../../../../lib/razorpay/client.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { systemRandom } from "../../../../lib/support/random.ts";
import { preferProcess } from "../priority.ts";
import type { PayoutProvider } from "../../../../lib/provider/index.ts";

/** More than are under way at once at this rate and these times. */
const CALLERS = 20;

/** The client alone, called by twenty at once: its rate when work never runs out. */
export interface ClientAlone {
  /** When each of so many requests arrived, in ms. */
  arrivalsMs(calls: number): Promise<number[]>;
  close: () => void;
}

export async function startClientAlone(requestsPerSecond: number): Promise<ClientAlone> {
  const file = fileURLToPath(new URL("provider-process.ts", import.meta.url));
  const child: ChildProcess = fork(file, { execArgv: ["--import", "tsx"] });
  preferProcess(child.pid);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    arrivalsMs: async (calls) => {
      await callAll(clientOf({ port, requestsPerSecond }), calls);
      const answered = once(child, "message") as Promise<[{ arrivalsMs: number[] }]>;
      child.send("arrivals");
      return (await answered)[0].arrivalsMs;
    },
    close: () => child.disconnect(),
  };
}

function clientOf({
  port,
  requestsPerSecond,
}: {
  port: number;
  requestsPerSecond: number;
}): PayoutProvider {
  return createRazorpayX(
    {
      keyId: "rzp_test_bench",
      keySecret: "bench",
      accountNumber: "2323230000000001",
      baseUrl: `http://127.0.0.1:${port}`,
      timeoutMs: 30_000,
      requestsPerSecond,
    },
    { clock: systemClock, random: systemRandom },
  );
}

/** As many at once as the times of the answers need. */
async function callAll(client: PayoutProvider, calls: number): Promise<void> {
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await client.createContact(CONTACT);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** A call of the kind that moves something. */
const CONTACT = { name: "A Payee", type: "vendor", referenceId: "bench" } as const;
