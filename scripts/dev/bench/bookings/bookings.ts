import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { sideBySide } from "../alternate.ts";
import { startBenchServer, withClient } from "../databases.ts";
import type { Bench } from "../figure.ts";
import { Recorder } from "../spread.ts";
import { rowJobs, timeCommits, timeRun } from "./jobs.ts";
import { seedDue } from "./seed-due.ts";

interface Size {
  /** Finished rows; due rows are beside them. */
  small: number;
  large: number;
  /** At least so many: rows that earlier rounds handled are no longer due. */
  due: number;
  /** How many of those due a round handles. */
  taken: number;
}

const SIZE: Size = { small: 1_000, large: 1_000_000, due: 10_000, taken: 2_000 };
const QUICK: Size = { small: 1_000, large: 2_000, due: 100, taken: 10 };
/** A row may cost this much more in the large table; the rest is noise. */
const GROWTH = 1.25;

/** The jobs of the bookings half, with their due rows in a small table and in a large one. */
export const bookingsBench: Bench = {
  name: "bookings",
  title: "Waitlist, slots, outbox",
  run: async ({ rounds, quick, say }) => {
    const { small, large, due, taken } = quick ? QUICK : SIZE;
    const stops: (() => Promise<void> | void)[] = [];
    try {
      const server = await startBenchServer();
      stops.push(server.stop);
      const mail = await startMailServer();
      stops.push(mail.stop);
      const urls = {
        small: await server.create("bench_small"),
        large: await server.create("bench_large"),
      };
      for (const [which, rows] of Object.entries({ small, large }) as [
        "small" | "large",
        number,
      ][]) {
        say(
          `${rows.toLocaleString("en-US")} rows in each table, and ${due.toLocaleString("en-US")} due`,
        );
        await seedDue(urls[which], { rows, due: due + (rounds - 1) * taken });
      }
      const recorder = new Recorder();
      for (let round = 0; round < rounds; round++) {
        for (const job of rowJobs) {
          const run = async (which: "small" | "large"): Promise<void> => {
            const url = urls[which];
            const ms = await timeRun(job, { url, env: mail.env, limit: taken });
            const commitsMs = await timeCommits(url, taken);
            await forgetMails(url);
            recorder.add(`${job.name} ${which} rows`, "rows/s", (1000 * taken) / ms);
            recorder.add(`${job.name} ${which} cost`, "ms a row", ms / taken);
            recorder.add(`${job.name} ${which} commits`, "commits/s", (1000 * taken) / commitsMs);
          };
          await sideBySide(round, { subject: () => run("large"), reference: () => run("small") });
        }
        say(`round ${round + 1} of ${rounds}`);
      }
      const inRows = (count: number): string => `in ${count.toLocaleString("en-US")} rows`;
      const of = (name: string, as: string) => ({ ...recorder.measurement(name), name: as });
      return [
        {
          heading: `Rows a second, ${due.toLocaleString("en-US")} due`,
          rows: rowJobs.flatMap(({ name, rows }) =>
            (["small", "large"] as const).map((which) => ({
              measured: of(
                `${name} ${which} rows`,
                `${name}, ${inRows(which === "small" ? small : large)}: ${rows}`,
              ),
              against: of(`${name} ${which} commits`, "one row changed in each"),
            })),
          ),
        },
        {
          heading: "Cost of a due row, by the size of the table",
          rows: rowJobs.map(({ name }) => ({
            measured: of(`${name} large cost`, `${name}, ${inRows(large)}`),
            against: of(`${name} small cost`, inRows(small)),
            target: { of: "ratio", atMost: GROWTH },
          })),
        },
      ];
    } finally {
      for (const stop of stops.reverse()) await stop();
    }
  },
};

/** Mails queued by other jobs must not count as due for the next measured one. */
async function forgetMails(url: string): Promise<void> {
  await withClient(url, (client) =>
    client.query(
      `UPDATE outbox_mails SET status = 'SENT', settled_at = now()
       WHERE status = 'QUEUED' AND key NOT LIKE 'due:%' AND key NOT LIKE 'old:%'`,
    ),
  );
}

async function startMailServer(): Promise<{ env: Record<string, string>; stop: () => void }> {
  const file = fileURLToPath(new URL("mail-process.ts", import.meta.url));
  const child = fork(file, { execArgv: ["--import", "tsx"] });
  const [env] = (await once(child, "message")) as [Record<string, string>];
  return { env, stop: () => child.disconnect() };
}
