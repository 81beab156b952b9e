import { constants, setPriority } from "node:os";

/**
 * Before others on this machine, where it is allowed: the provider has a machine of its own, and what its
 * process waits for a processor must not count as time that a request was on its way.
 */
export function preferProcess(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Only a superuser may: on a quiet machine it makes no difference.
  }
}
