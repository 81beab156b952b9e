import {
  APPROVAL_POLICIES,
  approvalPolicy,
  approvalVariable,
  type ApprovalPolicy,
} from "../../../lib/payouts/operate/index.ts";
import type { Env } from "../../../lib/support/environment.ts";
import { UsageError } from "../frame/arguments.ts";

/** The policy that `PAYOUTS_APPROVAL` sets. @throws {UsageError} when it says something else */
export function requirePolicy(env: Env): ApprovalPolicy {
  const policy = approvalPolicy(env);
  if (policy !== undefined) return policy;
  throw new UsageError(
    `${approvalVariable.name}: expected ${APPROVAL_POLICIES.join(" or ")}; nothing was changed`,
  );
}
