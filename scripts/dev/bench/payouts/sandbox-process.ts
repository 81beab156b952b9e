import { subscribe } from "node:diagnostics_channel";
import { startSandbox } from "../../../sandbox/razorpay/index.ts";
import { createChance } from "../chance.ts";
import type { RegisteredPayee, SandboxAnswer, SandboxRequest } from "./sandbox.ts";

const BALANCE_PAISE = 1_000_000_000_000_000;

const sandbox = await startSandbox({ balancePaise: BALANCE_PAISE });
const arrivalsMs: number[] = [];
// Before the sandbox looks at it; its own log of calls counts in whole milliseconds.
subscribe("http.server.request.start", () =>
  arrivalsMs.push(Number(process.hrtime.bigint()) / 1e6),
);

const say = (answer: SandboxAnswer): void => void process.send?.(answer);

process.on("message", (request: SandboxRequest) => {
  switch (request.ask) {
    case "reset":
      sandbox.reset();
      say({ answer: "reset" });
      return;
    case "register":
      say({ answer: "registered", payees: register(request.count) });
      return;
    case "delay": {
      const { count, leastMs, mostMs } = request;
      const chance = createChance();
      sandbox.addFaults(
        Array.from({ length: count }, () => ({
          on: "*" as const,
          delayMs: Math.round(leastMs + chance() * (mostMs - leastMs)),
        })),
      );
      say({ answer: "delayed" });
      return;
    }
    case "arrivals":
      say({ answer: "arrivals", arrivalsMs: arrivalsMs.splice(0) });
  }
});
process.on("disconnect", () => void sandbox.close());

say({ answer: "ready", env: sandbox.env });

function register(count: number): RegisteredPayee[] {
  return Array.from({ length: count }, (_, index) => {
    const accountNumber = `99${String(index + 1).padStart(10, "0")}`;
    const name = `Example Payee ${index + 1}`;
    return { accountNumber, ...sandbox.registerPayee({ name, accountNumber }) };
  });
}
