import { format } from "prettier";
import type { AnyJob } from "../../../lib/job/index.ts";
import { istTime } from "../../../lib/support/calendar.ts";
import { nextTick } from "../../../lib/support/cron.ts";
import { cronInWords } from "../../../lib/support/cron-in-words.ts";
import { markdownTable } from "../../../lib/support/markdown-table.ts";

const BEGIN = "<!-- Made by `npm run docs:generate` from the declaration of the job. -->";
const END = "<!-- End of what is made. -->";

/** Where the page of a job is kept. */
export function jobPage(job: Pick<AnyJob, "name">): string {
  return `docs/jobs/${job.name.split("/")[1] ?? job.name}.md`;
}

/** The page of a job with its schedule, lock, flags and variables as it declares them, before the first section. */
export async function withFacts(page: string, job: AnyJob): Promise<string> {
  const [before = "", rest] = page.split(BEGIN);
  const after = rest === undefined ? page : (rest.split(END)[1] ?? "");
  const text = rest === undefined ? "" : before;
  const sections = after.search(/^## /m);
  const head = rest === undefined ? after.slice(0, sections) : text;
  const made = [BEGIN, "", factsTable(job), "", END].join("\n");
  const parts = [head.trimEnd(), made, after.slice(sections)];
  return format(parts.join("\n\n"), { parser: "markdown", printWidth: 100 });
}

function factsTable(job: AnyJob): string {
  const { schedule, lock, flags = [] } = job;
  const minutes = (ms: number): string => `${ms / 60_000} minutes`;
  const own = flags.map(
    ({ name, description, default: fallback }) =>
      `\`--${name}\` (${fallback === undefined ? "required" : `default \`${fallback}\``}: ${description})`,
  );
  const required = job.environment.variables.filter((variable) => variable.required);
  const rows = [
    ["schedule", schedule === "by-hand" ? "none: started by hand" : inBoth(schedule.cron)],
    ["moves money", job.movesMoney ? "yes" : "no"],
    [
      "lock",
      lock === "none"
        ? "none: the row decides"
        : `${lock.failMode === "closed" ? "closed: does not run without it" : "open: runs without it"}, for ${minutes(lock.ttlMs)}`,
    ],
    ["deadline", minutes(job.deadlineMs)],
    ["paused by", job.pausedBy === "degraded" ? "`degraded`, `offline`" : "`offline`"],
    ["flags", [...own, "`--dry-run`", "`--limit`", "`--log-level`", "`--help`"].join(", ")],
    [
      "must have",
      ["DATABASE_URL", ...required.map(({ name }) => name)].map((name) => `\`${name}\``).join(" ") +
        " ([all variables](../configuration.md#what-each-job-needs))",
    ],
  ];
  return markdownTable(["", ""], rows).join("\n");
}

/** India is ahead of UTC by 5:30 all year round. */
function inBoth(cron: string): string {
  const first = nextTick(cron, new Date("2026-01-01T00:00:00Z"));
  const [, , , , dayOfWeek = "*"] = cron.split(" ");
  const inIndia = istTime(first, { weekday: dayOfWeek !== "*" });
  const isOnceADay = /^\d+ \d+ /.test(cron);
  const place = isOnceADay ? `, which is ${inIndia} in India` : "";
  return `\`${cron}\` in UTC: ${cronInWords(cron)}${place}`;
}
