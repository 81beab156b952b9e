import { fileURLToPath } from "node:url";
import type { ClaimCheck } from "./claim-check.ts";

const payouts = (...names: string[]): string[] =>
  names.map((name) => `test/lib/payouts/${name}.test.ts`);

/** Every statement that claims, transfers or settles payments. */
export const claimCheck: ClaimCheck = {
  root: fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, ""),
  scope: [
    "lib/payouts",
    "lib/earnings",
    "lib/findings",
    "lib/statement",
    "lib/tds/reserve.ts",
    "lib/tds/returns/deposit.ts",
    "lib/job/lock",
    "lib/db",
  ],
  vitestConfig: "test/vitest.config.ts",
  tests: {
    "lib/earnings/approve.ts": ["test/lib/earnings/what-is-free.test.ts"],
    "lib/earnings/free.ts": ["test/lib/earnings/what-is-free.test.ts"],
    "lib/earnings/recoveries.ts": [
      "test/lib/refunds/earnings.test.ts",
      "test/lib/refunds/recoveries.test.ts",
    ],
    "lib/findings/index.ts": ["test/lib/findings/findings.test.ts"],
    "lib/findings/resolve.ts": ["test/lib/findings/findings.test.ts"],
    "lib/job/lock/postgres-lock-store.ts": ["test/lib/job/lock/lock-store.test.ts"],
    "lib/job/lock/redis-lock-store.ts": ["test/lib/job/lock/lock-store.test.ts"],
    "lib/payouts/state/account-holds.ts": payouts("state/account-holds"),
    "lib/payouts/state/claim.ts": payouts("state/holder-only", "state/on-hold"),
    "lib/payouts/state/complete.ts": payouts("state/holder-only"),
    "lib/payouts/state/due.ts": payouts("state/holder-only", "state/abandoned-claims"),
    "lib/payouts/state/create.ts": payouts("operate/changed-meanwhile"),
    "lib/payouts/state/held.ts": payouts("state/holder-only"),
    "lib/payouts/state/on-hold.ts": payouts("state/on-hold"),
    "lib/payouts/operate/hold.ts": payouts("operate/changed-meanwhile"),
    "lib/payouts/operate/organization.ts": payouts("operate/changed-meanwhile"),
    "lib/payouts/state/operator-moves.ts": payouts("operate/changed-meanwhile"),
    "lib/payouts/state/payee.ts": payouts("state/holder-only"),
    "lib/payouts/reconcile/our-attempts.ts": payouts("reconcile/money-back-late"),
    "lib/payouts/state/release.ts": payouts("state/holder-only"),
    "lib/payouts/state/reverse.ts": payouts("state/holder-only"),
    "lib/payouts/state/outcome.ts": payouts("state/holder-only"),
    "lib/payouts/state/take-over.ts": payouts("state/holder-only"),
    "lib/statement/name-in-doubt.ts": ["test/lib/statement/name-in-doubt.test.ts"],
    "lib/tds/reserve.ts": ["test/lib/tds/reserve.test.ts"],
  },
  exempt: {
    "lib/earnings/recoveries.ts applyRecoveries: status = 'READY'":
      "It bounds what is locked, and claims nothing: what is taken is read afterwards, and refundReadyEarning refuses what is not READY.",
    "lib/payouts/state/claim.ts casDueToProcessing: organization_id IS NULL":
      "No row can differ: the constraint payouts_organization_unapproved lets no payout of an organization be APPROVED. It says whose payout it is to who reads the statement.",
  },
};
