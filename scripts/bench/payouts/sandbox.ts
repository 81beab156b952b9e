import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The provider in a process of its own: no delay, and as many requests a second as come. */
export interface BenchSandbox {
  readonly env: Readonly<Record<string, string>>;
  /** Makes contacts and fund accounts there, as earlier weeks have. */
  register(count: number): Promise<RegisteredPayee[]>;
  /** Forgets everything. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface RegisteredPayee {
  contactId: string;
  fundAccountId: string;
  accountNumber: string;
}

export type SandboxRequest = { ask: "register"; count: number } | { ask: "reset" };
export type SandboxAnswer =
  | { answer: "ready"; env: Record<string, string> }
  | { answer: "registered"; payees: RegisteredPayee[] }
  | { answer: "reset" };

const MODULE = fileURLToPath(new URL("sandbox-process.ts", import.meta.url));

export async function startBenchSandbox(): Promise<BenchSandbox> {
  const child = fork(MODULE, { execArgv: ["--import", "tsx"] });
  const next = async (): Promise<SandboxAnswer> => {
    const [message] = (await once(child, "message")) as [SandboxAnswer];
    return message;
  };
  const ask = async (request: SandboxRequest): Promise<SandboxAnswer> => {
    const answer = next();
    child.send(request);
    return answer;
  };
  const ready = await next();
  return {
    env: ready.answer === "ready" ? ready.env : {},
    register: async (count) => {
      const said = await ask({ ask: "register", count });
      return said.answer === "registered" ? said.payees : [];
    },
    reset: async () => {
      await ask({ ask: "reset" });
    },
    close: async () => {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
