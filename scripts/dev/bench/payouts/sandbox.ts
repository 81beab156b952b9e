import { fork } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";

export interface RegisteredPayee {
  contactId: string;
  fundAccountId: string;
  accountNumber: string;
}

/** The questions that the provider's process answers. */
export interface SandboxCalls {
  /** Makes contacts and fund accounts there, as earlier weeks have. */
  register: (count: number) => RegisteredPayee[];
  /** Answers so many requests after a time between the two, the same times in the same order in every run. */
  delay: (delays: { count: number; leastMs: number; mostMs: number }) => void;
  /** When each request since the last question arrived, on the machine's monotonic clock, which every process reads alike. */
  arrivalsMs: () => number[];
  /** Forgets everything. */
  reset: () => void;
}

const MODULE = fileURLToPath(new URL("sandbox-process.ts", import.meta.url));

/** The provider in a process of its own: as many requests a second as come, and without delay unless it is told. */
export type BenchSandbox = Awaited<ReturnType<typeof startBenchSandbox>>;

export async function startBenchSandbox() {
  const child = fork(MODULE, { execArgv: ["--import", "tsx"] });
  const [env] = (await once(child, "message")) as [Record<string, string>];
  return {
    env,
    ask: async <Name extends keyof SandboxCalls>(
      name: Name,
      ...given: Parameters<SandboxCalls[Name]>
    ) => {
      const answered = once(child, "message");
      child.send({ name, given });
      const [{ result }] = (await answered) as [{ result: ReturnType<SandboxCalls[Name]> }];
      return result;
    },
    /**
     * Raises its priority on this machine, where that is allowed. The provider has its own machine in production.
     * Its waits for a processor must not count as the travel time of a request.
     */
    prefer: () => {
      try {
        setPriority(child.pid ?? 0, constants.priority.PRIORITY_HIGHEST);
      } catch {
        // Only a superuser may: on a quiet machine it makes no difference.
      }
    },
    close: async () => {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
