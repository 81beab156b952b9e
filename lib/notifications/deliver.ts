import type { Db } from "../db/client.ts";
import { backOffMs, UP_TO_A_FIFTH_MORE, type BackOff } from "../support/back-off.ts";
import { hours, minutes } from "../support/clock.ts";
import { noProgress, type Progress } from "../support/progress.ts";
import { newUuid } from "../support/random.ts";
import type { RunContext } from "../support/run-context.ts";
import type { CoreResult } from "../support/verdict.ts";
import { judgeDelivery, type DeliveryFault } from "./judge.ts";
import type { MailAnswer, MailFault, Mailer } from "./mailer.ts";
import {
  claimNext,
  countDue,
  countWaiting,
  putOff,
  readDue,
  release,
  settleGivenUp,
  settleLapsed,
  type DueMail,
} from "./outbox.ts";
import { countWithoutAddress, queueAccountMails } from "./queue-account-mails.ts";
import { MailTemplateMissingError, renderMail, type RenderedMail } from "./render.ts";
import { countMail, emptyDeliveryReport, handled, type DeliveryReport } from "./report.ts";
import { recordSent } from "./record-sent.ts";
import type { MailSettings } from "./settings.ts";

interface DeliverySettings {
  readonly mail: Pick<MailSettings, "maxTries">;
  /** Default: no. */
  readonly mailRefusedAccounts?: boolean;
}

export interface DeliveryPorts extends Pick<
  RunContext<DeliverySettings>,
  "dryRun" | "limit" | "settings" | "clock" | "random" | "log" | "signal"
> {
  readonly db: Db;
  readonly mailer: Mailer;
  readonly progress?: Progress;
  /** False: mail at its last try is due again at once, for a run that reports it and is red. Default true. */
  readonly givesUp?: boolean;
}

/** A claim outlasts the longest sending by this much. */
const CLAIM_MARGIN_MS = minutes(2);
const AFTER_FAILURE: BackOff = {
  firstMs: minutes(1),
  longestMs: hours(4),
  jitter: UP_TO_A_FIFTH_MORE,
};
/** So many mails that broke off, or that the server put off, and none taken between: it is not the mails' fault. */
const NONE_TAKEN_IN_A_ROW = 5;

const BREAKS_OFF: ReadonlySet<string> = new Set<MailFault>([
  "mail-connection-lost",
  "mail-answer-lost",
  "mailer-failed",
]);

/** Sends all due mail of the outbox, and judges the result. */
export async function deliverOutbox(ports: DeliveryPorts): Promise<CoreResult<DeliveryReport>> {
  const report = emptyDeliveryReport(ports.dryRun);
  try {
    if (ports.settings.mailRefusedAccounts && !ports.dryRun) await writeAccountMails(ports);
    const fault = await deliverDue(ports, report);
    const limited = ports.limit !== undefined;
    const stopped = ports.signal.aborted;
    return { verdict: judgeDelivery(report, { fault, stopped, limited }), report };
  } catch (error) {
    report.left = report.due - handled(report);
    return { verdict: { kind: "broken", error }, report };
  }
}

/** To payees whose account was refused. */
async function writeAccountMails({ db, log }: DeliveryPorts): Promise<void> {
  const count = await queueAccountMails(db);
  if (count > 0) log.info({ count }, "mails to payees with a refused account were written");
  const unreachable = await countWithoutAddress(db);
  if (unreachable > 0) {
    log.warn(
      { count: unreachable },
      "payees with a refused account have no mail address on record",
    );
  }
}

/**
 * Sends each mail that was due when the run began, oldest first. Claims it, sends it, and records the result
 * before it claims the next one. Ends early when the server itself is at fault, or the signal fires.
 */
export async function deliverDue(
  ports: DeliveryPorts,
  report: DeliveryReport,
): Promise<DeliveryFault | undefined> {
  const { db, signal, log, progress = noProgress } = ports;
  const { asOf, due, held } = await countDue(db);
  report.due = due;
  const most = Math.min(ports.limit ?? Infinity, due - held);
  let fault: DeliveryFault | undefined;
  if (ports.dryRun) fault = await plan(ports, { report, asOf, most });
  const row = startRow();
  for (let taken = 0; taken < most && !ports.dryRun && !fault && !signal.aborted; taken += 1) {
    const turn = await deliverNext(ports, { asOf });
    if (!turn) break;
    const { mail, outcome, code, answer } = turn;
    countMail(report, {
      outcome,
      mailId: mail.id,
      template: mail.template,
      tries: mail.tries + (answer?.accepted === false ? 1 : 0),
      code,
    });
    log.info({ mailId: mail.id, template: mail.template, outcome, code }, `mail ${outcome}`);
    progress.update(taken + 1, most);
    if (answer?.accepted === false && answer.affects === "server") fault = answer;
    fault ??= row(answer);
  }
  report.left = await countWaiting(db, asOf);
  if (ports.dryRun) report.left -= handled(report);
  report.skipped = Math.max(0, due - handled(report) - report.left);
  return fault;
}

/**
 * Counts answers until the server is at fault: several mails broke off or were put off, and none was taken
 * between. A mailbox that is full, or that greylists, says nothing of the server; nor does a refusal for good.
 */
function startRow(): (answer: MailAnswer | undefined) => DeliveryFault | undefined {
  let broken = 0;
  let putOff = 0;
  return (answer) => {
    if (answer === undefined) return undefined;
    if (answer.accepted) broken = putOff = 0;
    else if (answer.affects === "mail" && !answer.permanent && answer.ofReader !== true) {
      if (BREAKS_OFF.has(answer.code)) broken += 1;
      else if (answer.code === "mail-deferred") putOff += 1;
    }
    if (broken + putOff < NONE_TAKEN_IN_A_ROW || answer.accepted) return undefined;
    const detail = "detail" in answer ? answer.detail : "";
    return broken > putOff
      ? { code: "mail-server-unreachable", detail, kind: "breaks-off" }
      : { code: "mail-server-busy", detail, kind: "busy" };
  };
}

interface Turn {
  mail: DueMail;
  /** `left` as well where the claim had ended, and another run has the mail. */
  outcome: "sent" | "retried-later" | "gave-up" | "lapsed" | "left";
  /** Why it was not taken, with the server's number; empty when it was. */
  code: string;
  answer?: MailAnswer;
}

/** Claims the next mail, sends it and settles it; undefined when there is none. */
async function deliverNext(
  ports: DeliveryPorts,
  { asOf }: { asOf: string },
): Promise<Turn | undefined> {
  const { db, mailer, clock } = ports;
  const claimId = newUuid();
  const leaseMs = mailer.sendAtMostMs + CLAIM_MARGIN_MS;
  const claimedAt = clock.monotonicMs();
  const mail = await claimNext(db, { claimId, asOf, leaseMs });
  if (!mail) return undefined;
  const claim = { mailId: mail.id, claimId };
  if (mail.lapsed) {
    const isOurs = await settleLapsed(db, claim);
    return { mail, outcome: isOurs ? "lapsed" : "left", code: "" };
  }
  // A machine that slept in between may wake up when another run has the mail.
  if (clock.monotonicMs() - claimedAt > CLAIM_MARGIN_MS / 2) {
    await release(db, { ...claim, error: null });
    return { mail, outcome: "left", code: "" };
  }
  const answer = await send(ports, mail);
  if (answer.accepted) {
    await recordSent(ports, claim);
    return { mail, outcome: "sent", code: "", answer };
  }
  if (answer.affects === "run") {
    await release(db, { ...claim, error: null });
    return { mail, outcome: "left", code: "", answer };
  }
  const code = [answer.code, answer.detail].filter((part) => part !== "").join(" ");
  if (answer.affects === "server") {
    await release(db, { ...claim, error: code });
    return { mail, outcome: "left", code, answer };
  }
  const tries = mail.tries + 1;
  const backOff = { ...AFTER_FAILURE, tries: ports.settings.mail.maxTries };
  const waitMs = answer.permanent ? undefined : backOffMs(backOff, tries, ports.random);
  if (waitMs === undefined && ports.givesUp !== false) {
    const isOurs = await settleGivenUp(db, { ...claim, error: code });
    return { mail, outcome: isOurs ? "gave-up" : "left", code, answer };
  }
  const isOurs = await putOff(db, { ...claim, error: code, waitMs: waitMs ?? 0 });
  return { mail, outcome: isOurs ? "retried-later" : "left", code, answer };
}

async function send({ mailer, signal, log }: DeliveryPorts, mail: DueMail): Promise<MailAnswer> {
  const rendered = rendering(mail);
  if ("accepted" in rendered) return rendered;
  const to = { name: mail.name, address: mail.email };
  try {
    return await mailer.send({ id: mail.id, to, ...rendered }, { signal });
  } catch (error) {
    log.warn({ mailId: mail.id, type: typeOf(error) }, "the mailer failed");
    return {
      accepted: false,
      affects: "mail",
      permanent: false,
      code: "mailer-failed",
      detail: "",
    };
  }
}

function rendering({ template, name, data }: DueMail): RenderedMail | MailAnswer {
  try {
    return renderMail(template, { name, data });
  } catch (error) {
    if (error instanceof MailTemplateMissingError) {
      const code = "mail-template-missing";
      return { accepted: false, affects: "server", code, detail: error.file };
    }
    const code = "mail-not-rendered";
    return { accepted: false, affects: "mail", permanent: true, code, detail: "" };
  }
}

/** Its message may quote an address. */
function typeOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

/** The actions of a real run on the same rows, without the server's answers. */
async function plan(
  { db, log }: DeliveryPorts,
  { report, asOf, most }: { report: DeliveryReport; asOf: string; most: number },
): Promise<DeliveryFault | undefined> {
  for (const mail of await readDue(db, { asOf, limit: most })) {
    const { id: mailId, template, tries } = mail;
    const rendered = mail.lapsed ? undefined : rendering(mail);
    const answer = rendered && "accepted" in rendered ? rendered : undefined;
    if (answer?.accepted === false && answer.affects === "server") return answer;
    const broken = answer !== undefined;
    const outcome = mail.lapsed ? "lapsed" : broken ? "gave-up" : "planned";
    const code = broken ? "mail-not-rendered" : "";
    countMail(report, { outcome, mailId, template, tries: tries + (broken ? 1 : 0), code });
    log.info({ mailId, template, outcome, code }, "planned");
  }
  return undefined;
}
