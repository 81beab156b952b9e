import { startSandbox } from "../../sandbox/index.ts";
import type { SandboxAnswer, SandboxRequest } from "./sandbox.ts";

const BALANCE_PAISE = 1_000_000_000_000_000;

const sandbox = await startSandbox({ balancePaise: BALANCE_PAISE });

const say = (answer: SandboxAnswer): void => void process.send?.(answer);

process.on("message", (request: SandboxRequest) => {
  if (request.ask === "reset") {
    sandbox.reset();
    say({ answer: "reset" });
    return;
  }
  const payees = Array.from({ length: request.count }, (_, index) => {
    const accountNumber = `99${String(index + 1).padStart(10, "0")}`;
    const name = `Example Payee ${index + 1}`;
    return { accountNumber, ...sandbox.registerPayee({ name, accountNumber }) };
  });
  say({ answer: "registered", payees });
});
process.on("disconnect", () => void sandbox.close());

say({ answer: "ready", env: sandbox.env });
