import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { preferProcess } from "../priority.ts";

/** The provider in a process of its own: as many requests a second as come, and without delay unless it is told. */
export interface BenchSandbox {
  readonly env: Readonly<Record<string, string>>;
  /** Makes contacts and fund accounts there, as earlier weeks have. */
  register(count: number): Promise<RegisteredPayee[]>;
  /** Answers so many requests after a time between the two, the same times in the same order in every run. */
  delay(delays: Delays): Promise<void>;
  /** When each request since the last question arrived, on the machine's monotonic clock, which every process reads alike. */
  arrivalsMs(): Promise<number[]>;
  /** Raises its priority over other processes, for measuring when requests arrive. */
  prefer(): void;
  /** Forgets everything. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface RegisteredPayee {
  contactId: string;
  fundAccountId: string;
  accountNumber: string;
}

export interface Delays {
  count: number;
  leastMs: number;
  mostMs: number;
}

export type SandboxRequest =
  | { ask: "register"; count: number }
  | ({ ask: "delay" } & Delays)
  | { ask: "arrivals" }
  | { ask: "reset" };
export type SandboxAnswer =
  | { answer: "ready"; env: Record<string, string> }
  | { answer: "registered"; payees: RegisteredPayee[] }
  | { answer: "delayed" }
  | { answer: "arrivals"; arrivalsMs: number[] }
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
    delay: async (delays) => {
      await ask({ ask: "delay", ...delays });
    },
    arrivalsMs: async () => {
      const said = await ask({ ask: "arrivals" });
      return said.answer === "arrivals" ? said.arrivalsMs : [];
    },
    prefer: () => preferProcess(child.pid),
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
