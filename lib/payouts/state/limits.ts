import {
  isOnGitHub,
  present,
  type Env,
  type EnvironmentProblem,
} from "../../support/environment.ts";
import { parseRupees } from "../../support/money.ts";

/**
 * The limits on payments without another check, and their defaults. On GitHub Actions a variable can only lower
 * them: people without the right to merge can set variables. To raise one, change it here, so that the change is
 * reviewed.
 */
export const LIMITS = {
  PAYOUTS_MAX_SINGLE_RUPEES: "1000000",
  PAYOUTS_MAX_RUN_RUPEES: "50000000",
  PAYOUTS_MAX_RUN_COUNT: "10000",
  PAYOUTS_AUTO_APPROVE_RUPEES: "5000",
} as const;

/**
 * Reports each limit that a variable would raise on GitHub Actions. Another check reports values that are no
 * number.
 */
export function limitsKept(
  env: Env,
  names: readonly (keyof typeof LIMITS)[],
  problems: EnvironmentProblem[],
): void {
  if (!isOnGitHub(env)) return;
  for (const variable of names) {
    const most = LIMITS[variable];
    const value = parseRupees(present(env, variable) ?? most);
    const limit = parseRupees(most);
    if (value === undefined || limit === undefined || value <= limit) continue;
    const problem = `expected at most ${most} on GitHub Actions, where a variable can only lower this limit: to raise it, change lib/payouts/state/limits.ts, or run the job from a terminal`;
    problems.push({ variable, problem });
  }
}
