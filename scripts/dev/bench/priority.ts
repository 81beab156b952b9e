import { constants, setPriority } from "node:os";

/**
 * Raises a process's priority on this machine, where that is allowed. The provider has its own machine in
 * production. Its waits for a processor must not count as the travel time of a request.
 */
export function preferProcess(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Only a superuser may: on a quiet machine it makes no difference.
  }
}
