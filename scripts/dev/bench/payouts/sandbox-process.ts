import { subscribe } from "node:diagnostics_channel";
import { startSandbox } from "../../../sandbox/razorpay/index.ts";
import type { SandboxCalls } from "./sandbox.ts";

const BALANCE_PAISE = 1_000_000_000_000_000;

const sandbox = await startSandbox({ balancePaise: BALANCE_PAISE });
const arrivalsMs: number[] = [];
// Before the sandbox looks at it; its own log of calls counts in whole milliseconds.
subscribe("http.server.request.start", () =>
  arrivalsMs.push(Number(process.hrtime.bigint()) / 1e6),
);

const calls: SandboxCalls = {
  reset: () => sandbox.reset(),
  register: (count) =>
    Array.from({ length: count }, (_, index) => {
      const accountNumber = `99${String(index + 1).padStart(10, "0")}`;
      const name = `Example Payee ${index + 1}`;
      return { accountNumber, ...sandbox.registerPayee({ name, accountNumber }) };
    }),
  delay: ({ count, leastMs, mostMs }) => {
    const chance = createChance();
    sandbox.addFaults(
      Array.from({ length: count }, () => ({
        on: "*" as const,
        delayMs: Math.round(leastMs + chance() * (mostMs - leastMs)),
      })),
    );
  },
  arrivalsMs: () => arrivalsMs.splice(0),
};

process.on("message", ({ name, given }: { name: keyof SandboxCalls; given: unknown[] }) => {
  const call = calls[name] as (...values: unknown[]) => unknown;
  process.send?.({ result: call(...given) });
});
process.on("disconnect", () => void sandbox.close());

process.send?.(sandbox.env);

/** Numbers from 0 to 1 that look like chance and are the same in every run. */
function createChance(): () => number {
  let seed = 1;
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
}
