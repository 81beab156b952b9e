import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../lib/job/child.ts";

interface Rule {
  name: string;
  from: { path?: string };
  to: { path?: string; pathNot?: string };
}

const { forbidden } = createRequire(import.meta.url)(
  join(ROOT, ".config/dependency-cruiser.cjs"),
) as { forbidden: readonly Rule[] };
const rooms = readdirSync(join(ROOT, "lib"));

/** Whether the rule of a room refuses an import of this file. */
function refuses(room: string, target: string): boolean {
  const rule = forbidden.find(({ name }) => name === `room-${room}`);
  if (rule === undefined) throw new Error(`no rule is for lib/${room}`);
  expect(`lib/${room}/a.ts`).toMatch(new RegExp(rule.from.path ?? "^$"));
  return (
    new RegExp(rule.to.path ?? "^$").test(target) &&
    !new RegExp(rule.to.pathNot ?? "^$").test(target)
  );
}

it.each(rooms)("lib/%s has a rule, which refuses jobs, scripts, tests and the adapter", (room) => {
  const outside = ["jobs/a.ts", "scripts/a.ts", "test/a.ts"];
  expect(outside.filter((target) => !refuses(room, target))).toEqual([]);
  expect(refuses(room, "lib/razorpay/index.ts")).toBe(room !== "razorpay");
  expect(refuses(room, "lib/support/money.ts")).toBe(false);
});

it("no two rooms import each other", () => {
  const circles = rooms.flatMap((room) =>
    rooms
      .filter((other) => room < other)
      .filter((other) => !refuses(room, `lib/${other}/a.ts`) && !refuses(other, `lib/${room}/a.ts`))
      .map((other) => `${room} and ${other}`),
  );
  expect(circles).toEqual([]);
});

it.each([
  ["support", "db"],
  ["db", "audit"],
  ["provider", "db"],
  ["tds", "ledger"],
  ["tds", "earnings"],
  ["tds", "tax-returns"],
  ["ledger", "earnings"],
  ["earnings", "tax-returns"],
  ["refunds", "checkouts"],
  ["refunds", "payouts"],
  ["checkouts", "payouts"],
  ["payouts", "refunds"],
  ["job", "payouts"],
])("lib/%s may not import lib/%s", (room, target) => {
  expect(refuses(room, `lib/${target}/index.ts`)).toBe(true);
});
