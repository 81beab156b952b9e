import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Fate } from "./verdict.ts";
import type { Answer, Task } from "./worker.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/**
 * Runs the tasks with so many processes at once, and reports each as it is done. Always ends the processes; they
 * end on their own when this one is killed.
 */
export async function doAll<T extends Task>(
  tasks: readonly T[],
  {
    modulePath,
    workers,
    onFate,
  }: { modulePath: string; workers: number; onFate: (task: T, fate: Fate) => void },
): Promise<void> {
  const queue = [...tasks];
  const children = Array.from({ length: Math.min(workers, tasks.length) }, () =>
    fork(WORKER, [modulePath], {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    }),
  );
  try {
    await Promise.all(
      children.map(async (child) => {
        await answerOf(child);
        for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
          const answered = answerOf(child);
          child.send(task);
          const answer = await answered;
          if ("fate" in answer) onFate(task, answer.fate);
        }
      }),
    );
  } finally {
    await Promise.all(children.map(endOf));
  }
}

async function answerOf(child: ChildProcess): Promise<Answer> {
  const died = new AbortController();
  const onExit = (code: number | null): void =>
    died.abort(new Error(`a worker ended by itself (${code ?? "signal"})`));
  child.once("exit", onExit);
  try {
    const [answer] = (await once(child, "message", { signal: died.signal })) as [Answer];
    return answer;
  } catch (error) {
    throw died.signal.aborted ? died.signal.reason : error;
  } finally {
    child.off("exit", onExit);
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
}
