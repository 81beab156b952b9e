import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type Way = "pipeline" | "plain" | "bare";

export interface RunRequest {
  way: Way;
  url: string;
  env: Readonly<Record<string, string>>;
  most: number;
  /** Default: as many as come. */
  requestsPerSecond?: number;
}

export interface RunAnswer {
  completed: number;
  ms: number;
  /** Of the process that paid, without the database's and the sandbox's. */
  cpuMs: number;
  peakBytes: number;
}

const MODULE = fileURLToPath(new URL("run-process.ts", import.meta.url));

/**
 * One run in a process of its own, so that its memory is its own too.
 *
 * @throws where it did not complete as many as were asked for
 */
export async function runOnce(request: RunRequest): Promise<RunAnswer> {
  const child = fork(MODULE, { execArgv: ["--import", "tsx"] });
  const answered = new Promise<RunAnswer>((resolve, reject) => {
    child.once("message", (answer: RunAnswer) => resolve(answer));
    child.once("exit", (code) =>
      reject(new Error(`the run ended with ${code} and without an answer`)),
    );
  });
  const exited = once(child, "exit");
  child.send(request);
  const answer = await answered;
  await exited;
  if (answer.completed === request.most) return answer;
  throw new Error(`${request.way}: ${answer.completed} of ${request.most} payouts were completed`);
}
