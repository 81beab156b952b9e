/** Operators' commands for webinars and classes: `npm run plans -- <command>`. See docs/cancelling-events.md. */
import { cancelPlan } from "../../lib/plans/cancel-plan.ts";
import { listPlans } from "../../lib/plans/list-plans.ts";
import { showPlan } from "../../lib/plans/show-plan.ts";
import type { Db } from "../../lib/db/client.ts";
import { AfterhoursError } from "../../lib/support/errors.ts";
import { BY, CSV_LIST, idOf, JSON_LIST, LIMIT, WHY } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand, tellChange, unknown } from "./frame/command.ts";
import { printList, printOne, toJsonText, type ListFormat } from "./frame/print.ts";
import { cancelledLines, PLAN_COLUMNS, planLines, planRows } from "./plans/print.ts";
import { progressOn } from "./plans/progress.ts";

const { program, reading, changing, run } = operatorCommand(
  "plans",
  "Looks at webinars and classes, and cancels one with its bookings, waitlist and money. Each change is audited.",
);
program.addHelpText("after", EXIT_STATUS);

program
  .command("list")
  .description("webinars and classes, those that begin last first")
  .option("--ahead", "only those that have not begun")
  .option("--cancelled", "only those that are cancelled")
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(async (options: { ahead?: boolean; cancelled?: boolean; limit: number } & ListFormat) => {
    await reading(async (db) => {
      const { plans, more } = await listPlans(db, options);
      printList(plans, {
        format: options,
        columns: PLAN_COLUMNS,
        none: "No webinars or classes.",
        lines: planRows,
        more,
        limit: options.limit,
      });
    });
  });

program
  .command("show")
  .description("everything about one plan; of a cancelled one what is still open")
  .argument("<id>", "the plan", idOf("plan"))
  .option("--json", "one JSON object, amounts in decimal rupees")
  .action(async (id: string, options: { json?: boolean }) => {
    await reading(async (db) => {
      const plan = await showPlan(db, id);
      if (!plan) throw unknown("plan", id);
      printOne(plan, { json: options.json, lines: () => planLines(plan) });
    });
  });

interface CancelOptions {
  reason: string;
  by?: string;
  althoughBegun?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

program
  .command("cancel")
  .description(
    "cancels a webinar or class: ends its waitlist, bookings and checkouts, asks each refund once, and mails everybody. Given again, it goes on with what is left",
  )
  .argument("<id>", "the plan", idOf("plan"))
  .requiredOption(...WHY)
  .option(...BY)
  .option("--dry-run", "shows what it would do, and changes nothing")
  .option("--although-begun", "also one that has begun or is over: everybody is refunded in full")
  .option("--json", "the report as one JSON object, amounts in decimal rupees")
  .action(async (id: string, options: CancelOptions) => {
    if (options.dryRun === true) {
      await reading((db) => cancel(db, { id, options, by: options.by ?? "nobody" }));
    } else {
      await changing(options, (db, { by }) => cancel(db, { id, options, by }));
    }
  });

await run();

async function cancel(
  db: Db,
  { id, options, by }: { id: string; options: CancelOptions; by: string },
): Promise<void> {
  const { reason, althoughBegun = false, dryRun = false, json = false } = options;
  const result = await cancelPlan(
    { db, progress: progressOn(process.stderr) },
    { planId: id, by, reason, althoughBegun, dryRun },
  );
  if (result.kind === "refused") {
    throw new AfterhoursError(result.code, result.message, {
      remedy: `${result.remedy} Nothing was changed.`,
    });
  }
  const { report } = result;
  const line = json ? toJsonText(report) : cancelledLines(report).join("\n");
  tellChange({ done: report.open.length === 0, line });
}
