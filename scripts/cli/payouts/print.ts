import { fundsTable, type Funds } from "../../../lib/payouts/state/funds.ts";
import { holdEnds } from "../../../lib/payouts/state/on-hold.ts";
import { MAXIMUM_TRIES } from "../../../lib/payouts/state/due.ts";
import type {
  AccountNote,
  HoldChange,
  HoldReach,
  ListedPayout,
  OrganizationChange,
  PayoutChange,
  PayoutDetails,
  Refusal,
} from "../../../lib/payouts/operate/index.ts";
import { istMinute } from "../../../lib/support/calendar.ts";
import { agreeing, counted } from "../../../lib/support/counted.ts";
import { formatRupees, type Paise } from "../../../lib/support/money.ts";
import { oneLine } from "../../../lib/support/one-line.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { money, page, section, type Columns, type Fact } from "../frame/print.ts";
import { redactor } from "../frame/redactor.ts";

export const LIST_COLUMNS: Columns<ListedPayout> = {
  id: true,
  consultantRef: true,
  organizationRef: true,
  status: true,
  currency: true,
  grossPaise: true,
  amountPaise: true,
  taxPaise: true,
  netPaise: true,
  sales: true,
  tries: true,
  failureCode: true,
  createdAt: true,
  inDoubt: true,
  accountId: true,
  account: true,
  accountAgeDays: true,
  refundedPaise: true,
  accountNotes: true,
  holds: true,
};

/** People write reasons, and providers messages, with account numbers in them. */
export function listLines(payouts: readonly ListedPayout[]): string[] {
  return textTable(
    [
      "Payout",
      "Consultant",
      "Status",
      "Owed",
      "Tax",
      "Net",
      "Sales",
      "Failed tries",
      "Created (IST)",
      "Account",
      "Remark",
    ],
    payouts.map((payout) => [
      payout.id,
      payeeOf(payout),
      payout.status,
      money(payout.amountPaise, payout.currency),
      money(payout.taxPaise, payout.currency),
      money(payout.netPaise, payout.currency),
      String(payout.sales),
      String(payout.tries),
      istMinute(payout.createdAt),
      accountOf(payout),
      remarkOf(payout),
    ]),
  );
}

/** The open payouts beside the last known balance of the account. */
export function fundsLines(funds: Funds): string[] {
  const { title, columns, rows } = fundsTable(funds);
  const asOf = funds.asOf === null ? "" : `, as read ${istMinute(funds.asOf)} IST`;
  return section(`${title}${asOf}`, textTable(columns, rows).slice(1));
}

/**
 * The number of payouts and their owed sum, for each currency. A failed or reversed payout counts neither as
 * owed nor as paid: a later payout owes its amount.
 */
export function totalLine(payouts: readonly ListedPayout[]): string {
  const open = payouts.filter(({ status }) => UNFINISHED.has(status));
  const paid = payouts.filter(({ status }) => status === "COMPLETED");
  const ended = payouts.length - open.length - paid.length;
  const sales = [...open, ...paid].reduce((sum, payout) => sum + payout.sales, 0);
  return [
    `${counted(payouts.length, "payout")} for ${counted(sales, "sale")}`,
    ...(open.length > 0 || paid.length === 0 ? [`${sumOf(open)} owed before tax`] : []),
    ...(paid.length > 0 ? [`${sumOf(paid)} paid before tax`] : []),
    ...(ended > 0 ? [`${ended} ended without payment`] : []),
  ].join(", ");
}

function sumOf(payouts: readonly ListedPayout[]): string {
  const sums = new Map<string, Paise>();
  for (const { currency, amountPaise } of payouts)
    sums.set(currency, (sums.get(currency) ?? 0n) + amountPaise);
  if (sums.size === 0) return formatRupees(0n);
  return [...sums].map(([currency, paise]) => money(paise, currency)).join(" and ");
}

const ACCOUNT_NOTES: Readonly<Record<AccountNote, string>> = {
  none: "no active account",
  "never-paid": "first payout to this payee",
  "changed-since-last-paid": "account changed since last paid",
  "changed-since-approval": "account changed since approval",
  "above-upi-limit": "more than a VPA takes",
};

const UNFINISHED: ReadonlySet<string> = new Set(["PENDING", "APPROVED", "PROCESSING"]);

/** Masked, with its age: a young account is what to look at. */
function accountOf({
  account,
  accountAgeDays,
}: Pick<ListedPayout, "account" | "accountAgeDays">): string {
  if (account === null || accountAgeDays === null) return account ?? "";
  return `${account}, ${accountAgeDays === 0 ? "placed today" : counted(accountAgeDays, "day")}`;
}

function refundedIn({ refundedPaise }: Pick<ListedPayout, "refundedPaise">): string[] {
  if (refundedPaise === 0n) return [];
  return [`${formatRupees(refundedPaise)} of it refunded since: reject it`];
}

function remarkOf(payout: ListedPayout): string {
  const { status, inDoubt, failureCode, holds, accountNotes } = payout;
  const isHeld = holds.length > 0 && UNFINISHED.has(status);
  return [
    ...(inDoubt ? ["outcome unknown"] : []),
    ...(isHeld ? [`on hold: ${holds.join(", ")}`] : []),
    ...(inDoubt || failureCode === null ? [] : [redactor.text(failureCode)]),
    ...refundedIn(payout),
    ...accountNotes.map((note) => ACCOUNT_NOTES[note]),
  ].join("; ");
}

export function showLines(payout: PayoutDetails): string[] {
  const { currency } = payout;
  const facts: Fact[] = [
    ["Consultant", `${payout.consultantRef} (${payout.consultantId})`],
    ...(payout.organizationRef === null
      ? []
      : ([["For", `organization ${payout.organizationRef}, without approval`]] satisfies Fact[])),
    ["Status", payout.status],
    ["Gross", money(payout.grossPaise, currency)],
    ["Owed", money(payout.amountPaise, currency)],
    ["Tax", money(payout.taxPaise, currency)],
    ["Net", money(payout.netPaise, currency)],
    ["Failed tries", `${payout.tries} of ${MAXIMUM_TRIES}`],
    ["Created", `${istMinute(payout.createdAt)} IST`],
    ["Approved", payout.approvedAt ? `${istMinute(payout.approvedAt)} IST` : "-"],
    ["Completed", payout.completedAt ? `${istMinute(payout.completedAt)} IST` : "-"],
  ];
  if (payout.uncovered === null && (payout.failureCode ?? payout.failureMessage) !== null) {
    const said = [payout.failureCode, payout.failureMessage].filter((part) => part !== null);
    facts.push(["Failure", redactor.text(said.join(": "))]);
  }
  if (payout.nextStep !== null) facts.push(["Next step", payout.nextStep]);
  if (payout.uncovered !== null) facts.push(["Not sent", payout.uncovered]);
  const account = [
    ...(payout.account === null ? [] : [accountOf(payout)]),
    ...(payout.accountStop === null ? [] : [payout.accountStop]),
    ...payout.accountNotes.map((note) => ACCOUNT_NOTES[note]),
  ];
  if (account.length > 0) facts.push(["Account", account.join("; ")]);
  if (payout.holds.length > 0) {
    const sent = UNFINISHED.has(payout.status) ? `; not sent until ${holdEnds(payout.holds)}` : "";
    facts.push(["On hold", `${payout.holds.join(", ")}${sent}`]);
  }
  return [
    ...page(`Payout ${payout.id}`, facts),
    ...section("Earnings", itemLines(payout)),
    ...section("Attempts", attemptLines(payout)),
    ...triesLines(payout).map((line) => `  ${line}`),
    ...section("Tax", deductionLines(payout)),
    ...section("Audit", auditLines(payout)),
  ];
}

function payeeOf({ consultantRef, organizationRef }: ListedPayout): string {
  return organizationRef === null ? consultantRef : `${consultantRef} for ${organizationRef}`;
}

function itemLines({ items, currency }: PayoutDetails): string[] {
  return textTable(
    ["Booking", "Credited", "Gross", "Owed", "Earning", "Released (IST)"],
    items.map((item) => [
      item.bookingReference,
      item.creditedOn,
      money(item.grossPaise, currency),
      money(item.amountPaise, currency),
      item.earningStatus,
      item.releasedAt ? istMinute(item.releasedAt) : "",
    ]),
  );
}

function attemptLines({ attempts, currency }: PayoutDetails): string[] {
  return textTable(
    [
      "No",
      "State",
      "Mode",
      "Amount",
      "Reference",
      "Provider's id",
      "Provider's status",
      "UTR",
      "Account",
      "HTTP",
      "Failure",
      "Created (IST)",
    ],
    attempts.map((attempt) => [
      String(attempt.attemptNo),
      attempt.state,
      attempt.mode,
      money(attempt.amountPaise, currency),
      attempt.referenceId,
      attempt.providerPayoutId ?? "",
      attempt.providerStatus ?? "",
      attempt.utr ?? "",
      attempt.account ?? "",
      attempt.httpStatus === null ? "" : String(attempt.httpStatus),
      redactor.text(attempt.failureCode ?? ""),
      istMinute(attempt.createdAt),
    ]),
  );
}

/** Tries and attempts are two counts: an attempt may end undecided, and a try before any attempt is made. */
function triesLines({ attempts, tries }: PayoutDetails): string[] {
  const open = attempts.filter(({ state }) => ["PREPARED", "UNKNOWN", "ACCEPTED"].includes(state));
  const failed = attempts.filter(({ state }) => ["REFUSED", "FAILED"].includes(state)).length;
  return [
    ...(open.length > 0
      ? [
          `${open.length} of them ${agreeing(open.length, "is", "are")} undecided, which is no failed try yet`,
        ]
      : []),
    ...(tries > failed
      ? [
          `${counted(tries - failed, "failed try", "failed tries")} ended before the provider was asked for a payout`,
        ]
      : []),
    ...(failed > tries
      ? [
          `${failed - tries} of them ${agreeing(failed - tries, "does", "do")} not count as a failed try: the payee's account was not the cause`,
        ]
      : []),
  ];
}

function deductionLines({ deductions, currency }: PayoutDetails): string[] {
  return textTable(
    ["Booking", "Section", "Rate", "Base", "Tax", "Reason", "Status"],
    deductions.map((line) => [
      line.bookingReference,
      line.section,
      `${(line.rateBps / 100).toFixed(2)}%`,
      money(line.grossPaise, currency),
      money(line.taxPaise, currency),
      line.isReversal ? `reversal of ${line.reason}` : line.reason,
      line.isTakenBack || line.isReversal ? "taken back" : line.status,
    ]),
  );
}

function auditLines({ audit }: PayoutDetails): string[] {
  return textTable(
    ["At (IST)", "Who", "What", "Why"],
    audit.map((entry) => [
      istMinute(entry.at),
      redactor.text(entry.actor),
      entry.action,
      redactor.text(entry.reason ?? ""),
    ]),
  );
}

/** One line for a payout that was changed, or for one that was not, with everything in the way. */
export function changeLine(verb: string, change: PayoutChange): string {
  if (!change.done) return `not ${verb}  ${change.payoutId}  ${because(change.refusals)}`;
  const { payoutId, consultantRef, amountPaise, note } = change;
  const parts = [verb, payoutId, consultantRef, formatRupees(amountPaise), note];
  return oneLine(parts.filter((part) => part !== undefined).join("  "));
}

export function holdLine(verb: string, change: HoldChange): string {
  if (!change.done) return `not ${verb}  ${because([change.refusal])}`;
  const { consultant, kinds, reach, open } = change;
  const note = verb === "held" ? reachOf(reach) : releaseOf(reach, open);
  return oneLine(`${verb}  ${consultant.ref} (${consultant.id})  ${kinds.join(", ")}${note}`);
}

function reachOf({ due, pending, processing, inDoubt }: HoldReach): string {
  const doubt =
    inDoubt > 0
      ? ` (${inDoubt} in doubt: perhaps sent; if the provider never got it, it waits as well)`
      : "";
  const parts = [
    ...(due > 0 ? [`${due} due and not sent until the hold is released`] : []),
    ...(pending > 0 ? [`${pending} waiting for approval, which the hold refuses`] : []),
    ...(processing > 0 ? [`${processing} in processing, which may still be paid${doubt}`] : []),
  ];
  return parts.length === 0 ? "; no unfinished payouts" : `; payouts: ${parts.join("; ")}`;
}

function releaseOf({ due }: HoldReach, open: readonly string[]): string {
  if (open.length > 0) return `; still on hold: ${open.join(", ")}`;
  if (due === 0) return "";
  const are = agreeing(due, "is", "are");
  return `; ${counted(due, "payout")} ${are} due: the next pay run sends ${agreeing(due, "it", "them")}`;
}

export function organizationLine(change: OrganizationChange): string {
  if (!change.done) return `not set  ${because([change.refusal])}`;
  const { organizationRef, consultant, ownPayouts } = change;
  const note =
    ownPayouts > 0
      ? `; ${counted(ownPayouts, "unfinished payout")} from before ${agreeing(ownPayouts, "stays", "stay")} the consultant's own`
      : "";
  return oneLine(
    `set  ${organizationRef}  is paid through ${consultant.ref} (${consultant.id})${note}`,
  );
}

function because(refusals: readonly Refusal[]): string {
  return oneLine(
    redactor.text(
      refusals.map(({ code, message, remedy }) => `${code}: ${message}. ${remedy}`).join(" | "),
    ),
  );
}
