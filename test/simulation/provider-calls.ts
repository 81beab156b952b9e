import { setImmediate as nextTick } from "node:timers/promises";
import type { Fault } from "../../scripts/sandbox/razorpay/index.ts";
import { checkBeforeSending, checkMayStillSend } from "./at-sending.ts";
import type { SimulatedProcess } from "./process.ts";
import { incidentOf } from "./trouble.ts";
import type { RequestUnderWay, World } from "./world.ts";

export interface ProviderCall<Input, Result> {
  name: Fault["on"];
  input: Input;
  send: (input: Input, options: { signal?: AbortSignal }) => Promise<Result>;
  signal: AbortSignal | undefined;
}

type Mishap = Omit<Fault, "on"> | "hangs" | "hangs, accepted" | "arrives late";

/** A payout goes wrong in one of these ways, before or after the provider has accepted it. */
const PAYOUT_MISHAPS: readonly Mishap[] = [
  { dropBefore: true },
  { dropAfter: true },
  { dropAfter: true },
  "hangs",
  "hangs, accepted",
  "hangs, accepted",
  "arrives late",
  "arrives late",
  "arrives late",
  { status: 503 },
  { status: 500, accept: true },
  { status: 502, accept: true },
  { status: 429 },
  { status: 429, times: 6 },
  { malformed: true },
  { status: 400, error: { reason: "imps_not_allowed" } },
  { status: 400, error: { reason: "gateway_down" } },
  { status: 400, error: { reason: "bank_account_closed" } },
  { status: 401 },
  { lowBalance: true },
  { initialState: "processed" },
  { initialState: "failed" },
  { initialState: "failed", endReason: "bank_account_closed" },
  { initialState: "reversed" },
  { initialState: "queued" },
  { initialState: "pending" },
  { initialState: "rejected" },
];
/** A refund goes wrong in one of these ways. */
const REFUND_MISHAPS: readonly Mishap[] = [
  { dropBefore: true },
  { dropAfter: true },
  { dropAfter: true },
  "hangs",
  "hangs, accepted",
  "arrives late",
  "arrives late",
  { status: 503 },
  { status: 500, accept: true },
  { status: 502, accept: true },
  { status: 429 },
  { status: 429, times: 6 },
  { malformed: true },
  { status: 400, error: { code: "BAD_REQUEST_ERROR" } },
  { status: 401 },
  { lowBalance: true },
  { initialState: "processed" },
  { initialState: "failed" },
];
const REFUND = "POST /payments/:id/refund";

const RECORD_MISHAPS: readonly Mishap[] = [
  { status: 503 },
  { status: 503, times: 4 },
  { dropAfter: true },
  { dropBefore: true, times: 4 },
  { malformed: true },
  { status: 429 },
  { status: 400, error: { reason: "input_validation_failed" } },
];
const READ_MISHAPS: readonly Mishap[] = [
  { status: 503 },
  { status: 503, times: 4 },
  { dropBefore: true, times: 4 },
  { malformed: true },
  { status: 429 },
  { status: 429, times: 6 },
];

/** A call that gets no answer ends after so long. */
const CLIENT_TIMEOUT_MS = 30_000;

/** One call of a run to the provider, over HTTP, and what goes wrong with it. */
export async function callProvider<Input, Result>(
  world: World,
  process: SimulatedProcess,
  call: ProviderCall<Input, Result>,
): Promise<Result> {
  const { scheduler, arena } = world;
  checkMayStillSend(world, process, call.name);
  return scheduler.turn(process, async () => {
    const incident = incidentOf(world, process, "gateway");
    await incident.before();
    if (process.dead) throw new Error("killed");
    const payout = await checkBeforeSending(world, process, call);
    const mishap = chooseMishap(world, call.name);
    if (mishap !== undefined)
      world.story.push(
        `  ${process.name}: ${[call.name, payout].filter(Boolean).join(" ")} ${describe(mishap)}`,
      );
    else if (payout !== undefined) world.story.push(`  ${process.name}: ${call.name} ${payout}`);
    try {
      return await meet(world, call, { mishap, payout });
    } finally {
      arena.sandbox.clearFaults();
      await incident.after();
    }
  });
}

function chooseMishap({ chance, faultRate }: World, name: Fault["on"]): Mishap | undefined {
  if (name === "POST /payouts" || name === REFUND) {
    const mishaps = name === REFUND ? REFUND_MISHAPS : PAYOUT_MISHAPS;
    return chance.happens(faultRate) ? chance.pick(mishaps) : undefined;
  }
  if (!chance.happens(faultRate / 3)) return undefined;
  return chance.pick(name.startsWith("POST") ? RECORD_MISHAPS : READ_MISHAPS);
}

async function meet<Input, Result>(
  world: World,
  call: ProviderCall<Input, Result>,
  { mishap, payout }: { mishap: Mishap | undefined; payout: string | undefined },
): Promise<Result> {
  const { sandbox } = world.arena;
  const send = (signal: AbortSignal | undefined): Promise<Result> =>
    call.send(call.input, signal === undefined ? {} : { signal });
  if (mishap === undefined) return send(call.signal);
  if (mishap === "hangs" || mishap === "hangs, accepted") {
    return hang(world, { ...call, send, accept: mishap === "hangs, accepted" });
  }
  if (mishap === "arrives late") {
    world.underWay.push(underWayOf(call, payout));
    sandbox.addFaults({ on: call.name, dropBefore: true });
  } else {
    sandbox.addFaults({ on: call.name, ...mishap });
  }
  return send(call.signal);
}

/** What is on its way when its sender gives up. */
function underWayOf(
  { name, input }: Pick<ProviderCall<unknown, unknown>, "name" | "input">,
  payout: string | undefined,
): RequestUnderWay {
  const { body, idempotencyKey, paymentId } = input as {
    body: string;
    idempotencyKey: string;
    paymentId?: string;
  };
  return name === REFUND
    ? {
        path: `/payments/${paymentId ?? ""}/refund`,
        header: "X-Refund-Idempotency",
        what: "a refund",
        body,
        idempotencyKey,
      }
    : {
        path: "/payouts",
        header: "X-Payout-Idempotency",
        what: payout ?? "",
        body,
        idempotencyKey,
      };
}

/** The provider holds the request and says nothing, until the client gives up. Others go on meanwhile. */
async function hang<Result>(
  { arena, scheduler }: World,
  {
    name,
    send,
    signal,
    accept,
  }: {
    name: Fault["on"];
    send: (signal: AbortSignal) => Promise<Result>;
    signal: AbortSignal | undefined;
    accept: boolean;
  },
): Promise<Result> {
  const givesUp = new AbortController();
  arena.sandbox.addFaults({ on: name, hang: true, accept });
  const answer = send(AbortSignal.any([givesUp.signal, ...(signal ? [signal] : [])]));
  while (arena.sandbox.faults().length > 0 && !signal?.aborted) await nextTick();
  const because = await scheduler.rest(CLIENT_TIMEOUT_MS, signal);
  givesUp.abort();
  const given = await answer;
  if (because === "signal") return given;
  // What the client itself says at its time limit: here it comes at once.
  const timeout = {
    kind: "unknown",
    cause: "timeout",
    detail: "no complete answer within the timeout",
  };
  return timeout as Result;
}

function describe(mishap: Mishap): string {
  if (typeof mishap === "string") return mishap;
  return Object.entries(mishap)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
    )
    .join(", ");
}
