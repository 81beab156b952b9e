import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../lib/job/child.ts";

const MOVES_A_PAYOUT =
  /\b(?:UPDATE|INSERT\s+INTO|DELETE\s+FROM)\s+(?:payouts|payout_items|payout_attempts)\b/i;

/** Rooms below the payouts, which import none of them. */
const BELOW = [
  "earnings/approve.ts", // payouts that an import approves at once
  "statement/name-in-doubt.ts", // the provider's id of an attempt in doubt, and nothing else
];

it("every statement that moves a payout is in lib/payouts/state", () => {
  const elsewhere = readdirSync(join(ROOT, "lib"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("payouts/state/"))
    .filter((name) => MOVES_A_PAYOUT.test(readFileSync(join(ROOT, "lib", name), "utf8")));
  expect(elsewhere.toSorted()).toEqual(BELOW);
});
