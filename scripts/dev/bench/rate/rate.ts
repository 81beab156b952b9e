import type { Bench, Row } from "../figure.ts";
import { Recorder } from "../spread.ts";
import { startBenchServer } from "../databases.ts";
import { startBenchSandbox } from "../payouts/sandbox.ts";
import { mostInAnySecond, perSecondOverall, perSecond } from "./arrivals.ts";
import { ANSWERS, arrivalsOfClient, arrivalsOfRun } from "./requests.ts";

const LIMIT = 10;
/** Multiples of the limit. */
const SIZE = { payouts: 300, calls: 150 };
const QUICK = { payouts: 30, calls: 30 };
/** One for the look at the provider before the first claim. */
const BEFORE = 1;

const ALLOWED = "what the limit allows";
const [RUN, CLIENT] = ["payouts of a run", "requests of the client alone"];

/** Requests a second that arrive at the provider, where work never runs out and in a whole run of `process-payouts`. */
export const rateBench: Bench = {
  name: "rate",
  title: "Use of the provider's rate",
  run: async ({ rounds, quick, say }) => {
    const { payouts, calls } = quick ? QUICK : SIZE;
    const stops: (() => Promise<void>)[] = [];
    const recorder = new Recorder();
    const record = (what: string, arrivalsMs: readonly number[]): void =>
      recorder.add(`${what} a second`, "/s", perSecond(arrivalsMs, LIMIT));
    const most = (what: string): string => `most requests in any one second, ${what}`;
    try {
      const server = await startBenchServer();
      stops.push(server.stop);
      const sandbox = await startBenchSandbox();
      stops.push(sandbox.close);
      sandbox.prefer();
      for (let round = 0; round < rounds; round++) {
        const ofRun = await arrivalsOfRun(server, sandbox, { payouts, requestsPerSecond: LIMIT });
        record(RUN, ofRun.slice(BEFORE, BEFORE + payouts));
        recorder.add(WHOLE, "/s", perSecondOverall(ofRun));
        recorder.add(most("run"), "", mostInAnySecond(ofRun));
        const ofClient = await arrivalsOfClient(sandbox, { calls, requestsPerSecond: LIMIT });
        record(CLIENT, ofClient);
        recorder.add(most("client"), "", mostInAnySecond(ofClient));
        recorder.add(ALLOWED, "", LIMIT);
        say(`round ${round + 1} of ${rounds}`);
      }
    } finally {
      for (const stop of stops.reverse()) await stop();
    }
    const against = recorder.measurement(ALLOWED);
    const rate = (name: string): Row => ({
      measured: recorder.measurement(name),
      against,
      target: { of: "ratio", atLeast: 0.98 },
    });
    const atMost = (name: string): Row => ({
      measured: recorder.measurement(name),
      against,
      target: { of: "ratio", atMost: 1 },
    });
    const answers = `answers that take ${ANSWERS.leastMs} to ${ANSWERS.mostMs} ms`;
    return [
      {
        heading: `A run of process-payouts: ${payouts} payouts, ${LIMIT} requests a second, ${answers}`,
        rows: [
          rate(`${RUN} a second`),
          atMost(most("run")),
          { measured: recorder.measurement(WHOLE), against },
        ],
      },
      {
        heading: `The client alone: ${calls} requests, ${LIMIT} a second, ${answers}`,
        rows: [rate(`${CLIENT} a second`), atMost(most("client"))],
      },
    ];
  },
};

const WHOLE = "all requests a second, from the first to the last";
