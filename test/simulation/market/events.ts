import { inTransaction } from "../../../lib/db/client.ts";
import { SQLSTATE, sqlStateOf } from "../../../lib/db/sqlstate.ts";
import { cancelPlan } from "../../../lib/plans/cancel-plan.ts";
import { toError } from "../../../lib/support/errors.ts";
import { noProgress } from "../../../lib/support/progress.ts";
import { databaseOf } from "../ports.ts";
import { SimulatedProcess, type Trouble } from "../process.ts";
import type { Desk } from "./checkouts.ts";
import type { Market } from "./world.ts";

/** An operator who cancels a webinar or class, and perhaps dies between two transactions of it. */
export function newOperator({ chance }: Market): SimulatedProcess {
  const trouble: Trouble | undefined = chance.happens(0.5)
    ? {
        kind: chance.pick(["killed before", "killed after", "killed inside"]),
        of: "transaction",
        at: chance.between(1, 4),
        statement: chance.between(1, 6),
      }
    : undefined;
  return new SimulatedProcess(chance, { name: "operator", slot: "C", trouble });
}

/** Mostly an event that takes place so far; now and then one that was cancelled before, as after a crash. */
export async function cancelEvent(market: Market, operator: SimulatedProcess): Promise<void> {
  const { chance, plans, story } = market;
  const groups = plans.filter(({ capacity }) => capacity !== null);
  const left = groups.filter(({ id }) => !market.cancelAsked.has(id));
  if (groups.length === 0) return;
  const plan = left.length > 0 && chance.happens(0.7) ? chance.pick(left) : chance.pick(groups);
  market.cancelAsked.add(plan.id);
  try {
    const said = await cancel(market, operator, {
      planId: plan.id,
      althoughBegun: chance.happens(0.5),
    });
    story.push(`  operator: cancels ${plan.name}: ${said}`);
  } catch (error) {
    market.refused.push(`cancel ${plan.name}: ${toError(error).stack ?? ""}`);
  }
}

/** What a person does who runs the command again until nothing is left. How much that was. */
export async function cancelAgain(market: Market, { clerk }: Desk): Promise<number> {
  const cancelled = await market.scheduler.turn(clerk, () =>
    market.arena.database.query<{ id: string }>(
      "SELECT id FROM plans WHERE cancelled_at IS NOT NULL ORDER BY title",
    ),
  );
  const changed: string[] = [];
  for (const { id: planId } of cancelled) {
    const said = await cancel(market, clerk, { planId, althoughBegun: true });
    if (!said.startsWith(NOTHING)) changed.push(said);
  }
  if (changed.length > 0) market.story.push(`  events are cancelled again: ${changed.join("; ")}`);
  return changed.length;
}

const NOTHING = "0 bookings, 0 refunds";

async function cancel(
  market: Market,
  operator: SimulatedProcess,
  { planId, althoughBegun }: { planId: string; althoughBegun: boolean },
): Promise<string> {
  const { arena } = market;
  const db = databaseOf(market, operator, arena.sessions[operator.slot]);
  const result = await cancelPlan(
    { db, progress: noProgress },
    { planId, by: "Asha", reason: "simulation", althoughBegun, dryRun: false },
  );
  if (result.kind === "refused") return result.code;
  const { bookingsEnded, refundsAsked, open } = result.report;
  const said = `${bookingsEnded} bookings, ${refundsAsked} refunds`;
  return open.length === 0 ? said : `${said}, open: ${open.map(({ code }) => code).join(" ")}`;
}

/** The marketplace moves an event that has not begun, with all its sessions, by whole days. */
export async function moveEvent(market: Market, { db }: Desk): Promise<string> {
  const { chance, plans } = market;
  const plan = chance.pick(plans.filter(({ capacity }) => capacity !== null));
  const days = chance.pick([-3, -1, 1, 2, 7]);
  const said = `${plan.name} is moved by ${days} days`;
  try {
    const moved = await inTransaction(db, async (tx) => {
      const hit = await tx.execute`
        UPDATE plans SET starts_at = starts_at + make_interval(days => ${days}::int)
        WHERE id = ${plan.id}::uuid AND cancelled_at IS NULL
          AND starts_at > now() AND starts_at + make_interval(days => ${days}::int) > now() + interval '2 hours'`;
      if (hit === 1)
        await tx.execute`
          UPDATE appointments
          SET starts_at = starts_at + make_interval(days => ${days}::int),
              ends_at = ends_at + make_interval(days => ${days}::int)
          WHERE plan_id = ${plan.id}::uuid AND booking_id IS NULL`;
      return hit === 1;
    });
    return moved ? said : `${plan.name} can not be moved by ${days} days`;
  } catch (error) {
    // Its consultant meets somebody else then.
    if (sqlStateOf(error) === SQLSTATE.exclusionViolation)
      return `${said}: another meeting is held then`;
    throw error;
  }
}
