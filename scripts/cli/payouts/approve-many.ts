import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import type { Db } from "../../../lib/db/client.ts";
import {
  approvePayout,
  choosePayouts,
  type ApprovalPolicy,
  type Choice,
  type ListedPayout,
  type Operator,
  type PayoutChange,
  type Shown,
} from "../../../lib/payouts/operate/index.ts";
import { errorCode } from "../../../lib/support/errors.ts";
import { formatRupees, sumPaise, type Paise } from "../../../lib/support/money.ts";
import { UsageError } from "../frame/arguments.ts";
import { EXIT } from "../frame/command-line.ts";
import { confirm } from "./confirm.ts";
import { listLines, totalLine } from "./print.ts";

/** How `approve` was called. */
export interface ApproveOptions {
  batch?: string;
  all?: boolean;
  file?: string;
  maxTotal?: Paise;
  yes?: boolean;
  by?: string;
  reason?: string;
}

/** The choice of many, undefined when payouts are named one by one. @throws {UsageError} */
export async function choiceOf(
  ids: readonly string[],
  { batch, all, file, maxTotal }: ApproveOptions,
): Promise<Choice | undefined> {
  const ways = [ids.length > 0, batch !== undefined, all === true, file !== undefined];
  if (ways.filter(Boolean).length !== 1) {
    const missing = ways.includes(true) ? "" : "missing required argument 'ids': ";
    throw new UsageError(
      `${missing}name payouts, or give one of --batch, --all and --file; nothing was approved`,
    );
  }
  if (all === true) {
    if (maxTotal !== undefined) return { kind: "all" };
    throw new UsageError("--all needs --max-total RUPEES, the most that may be approved together");
  }
  if (batch !== undefined) return { kind: "batch", runId: batch };
  return file === undefined ? undefined : { kind: "named", names: await namesIn(file) };
}

/** One payout's id or consultant's code on each line; blank lines and those that begin with `#` are passed over. */
async function namesIn(path: string): Promise<{ line: number; name: string }[]> {
  const names = (await textOf(path))
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)
    .map((name, index) => ({ line: index + 1, name: name.trim() }))
    .filter(({ name }) => name !== "" && !name.startsWith("#"));
  if (names.length === 0) {
    throw new UsageError(`${path} names no payout and no consultant; nothing was approved`);
  }
  return names;
}

/** More than 100,000 ids of payouts. */
const MOST_BYTES = 4 * 2 ** 20;

/** Reads no further than one byte beyond the limit: a device or a pipe may have no end. @throws {UsageError} */
async function textOf(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    const stream = createReadStream(path, { end: MOST_BYTES });
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    const code = errorCode(error) ?? "no code";
    throw new UsageError(`${path} can not be read (${code}); nothing was approved`);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length > MOST_BYTES) {
    throw new UsageError(
      `${path} has more than ${MOST_BYTES / 2 ** 20} MiB, the most that --file takes; nothing was approved. ` +
        "Divide the file, or approve a whole batch with --batch",
    );
  }
  if (bytes.includes(0) || !isUtf8(bytes)) {
    throw new UsageError(`${path} is no text in UTF-8; nothing was approved`);
  }
  return bytes.toString("utf8");
}

/**
 * Shows the chosen payouts with count and sum, asks for a yes, and approves each as shown. A payout that changed
 * in between is refused.
 */
export async function approveMany(
  db: Db,
  choice: Choice,
  {
    options,
    operator,
    policy,
    approveEach,
  }: {
    options: ApproveOptions;
    operator: Operator;
    policy: ApprovalPolicy;
    approveEach: (
      ids: readonly string[],
      change: (id: string) => Promise<PayoutChange>,
    ) => Promise<void>;
  },
): Promise<void> {
  const { payouts, problems } = await choosePayouts(db, choice);
  if (problems.length > 0) {
    for (const problem of problems) console.error(problem);
    console.error("Nothing was approved.");
    process.exitCode = EXIT.notDone;
    return;
  }
  if (payouts.length === 0) {
    console.log("No payout waits for approval.");
    return;
  }
  console.log(listLines(payouts).join("\n"));
  console.log(totalLine(payouts));
  const totalPaise = sumPaise(payouts.map(({ amountPaise }) => amountPaise));
  if (options.maxTotal !== undefined && totalPaise > options.maxTotal) {
    console.error(
      `${formatRupees(totalPaise)} together are more than --max-total ${formatRupees(options.maxTotal)}. Nothing was approved.`,
    );
    process.exitCode = EXIT.notDone;
    return;
  }
  if (!(await isConfirmed(payouts, options))) {
    console.error("Nothing was approved.");
    process.exitCode = EXIT.notDone;
    return;
  }
  const shown = new Map(payouts.map((payout) => [payout.id, payout]));
  await approveEach([...shown.keys()], (id) =>
    approvePayout(db, { payoutId: id, operator, policy, ...asShown(shown.get(id)) }),
  );
}

function asShown(payout: ListedPayout | undefined): { shown?: Shown } {
  if (payout === undefined) return {};
  const { amountPaise, sales, accountId } = payout;
  return { shown: { amountPaise, sales, accountId } };
}

/** @throws {UsageError} where nobody can be asked */
async function isConfirmed(
  payouts: readonly ListedPayout[],
  { yes }: ApproveOptions,
): Promise<boolean> {
  if (yes === true) return true;
  const answer = await confirm(`Approve ${totalLine(payouts)}?`, {
    input: process.stdin,
    output: process.stderr,
  });
  if (answer !== undefined) return answer;
  throw new UsageError(
    "nobody can be asked here: look at the list, then run it again with --yes; nothing was approved",
  );
}
