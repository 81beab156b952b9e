import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createRazorpayX } from "../../../lib/razorpay/client.ts";
import type { RazorpayX } from "../../../lib/razorpay/index.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { systemRandom } from "../../../lib/support/random.ts";
import type { Bench } from "../figure.ts";
import { Recorder } from "../spread.ts";
import { mostInAnySecond, perSecond } from "./arrivals.ts";

const LIMIT = 10;
/** More than are under way at once at this rate and these times. */
const CALLERS = 20;
/** A multiple of the limit. */
const CALLS = 150;
const QUICK_CALLS = 30;
const ALLOWED = "what the limit allows";

/** Requests a second that arrive at the provider. */
export const rateBench: Bench = {
  name: "rate",
  title: "Use of the provider's rate",
  run: async ({ rounds, quick, say }) => {
    const provider = await startProvider();
    const recorder = new Recorder();
    try {
      for (let round = 0; round < rounds; round++) {
        await callAll(clientOf(provider.port), quick ? QUICK_CALLS : CALLS);
        const arrivalsMs = await provider.arrivals();
        recorder.add("requests a second", "/s", perSecond(arrivalsMs, LIMIT));
        recorder.add("most requests in any one second", "", mostInAnySecond(arrivalsMs));
        recorder.add(ALLOWED, "", LIMIT);
        say(`round ${round + 1} of ${rounds}`);
      }
    } finally {
      provider.close();
    }
    const against = recorder.measurement(ALLOWED);
    return [
      {
        heading: `A limit of ${LIMIT} requests a second, answers that take 50 to 800 ms`,
        rows: [
          {
            measured: recorder.measurement("requests a second"),
            against,
            target: { of: "ratio", atLeast: 0.98 },
          },
          {
            measured: recorder.measurement("most requests in any one second"),
            against,
            target: { of: "ratio", atMost: 1 },
          },
        ],
      },
    ];
  },
};

function clientOf(port: number): RazorpayX {
  return createRazorpayX(
    {
      keyId: "rzp_test_bench",
      keySecret: "bench",
      accountNumber: "2323230000000001",
      baseUrl: `http://127.0.0.1:${port}`,
      timeoutMs: 30_000,
      requestsPerSecond: LIMIT,
    },
    { clock: systemClock, random: systemRandom },
  );
}

/** As many at once as the times of the answers need. */
async function callAll(client: RazorpayX, calls: number): Promise<void> {
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await client.createContact(CONTACT);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** A call of the kind that moves something: each has a connection of its own. */
const CONTACT = { name: "A Payee", type: "vendor", referenceId: "bench" } as const;

interface Provider {
  port: number;
  /** When each request since the last question arrived, in ms. */
  arrivals(): Promise<number[]>;
  close(): void;
}

async function startProvider(): Promise<Provider> {
  const file = fileURLToPath(new URL("provider-process.ts", import.meta.url));
  const child: ChildProcess = fork(file, { execArgv: ["--import", "tsx"] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    port,
    arrivals: async () => {
      const answered = once(child, "message") as Promise<[{ arrivalsMs: number[] }]>;
      child.send("arrivals");
      return (await answered)[0].arrivalsMs;
    },
    close: () => child.disconnect(),
  };
}
