import { describeServerFault, type ServerFaultKind } from "../support/server-fault/index.ts";
import type { Verdict } from "../support/verdict.ts";
import type { ServerFault } from "./mailer.ts";
import { handled, type DeliveryReport } from "./report.ts";

/** Why a delivery ended before all that was due had been tried. */
export interface DeliveryFault {
  code: ServerFault;
  detail: string;
  kind?: ServerFaultKind;
}

/** Faults that no other server has; the rest are worded as those of every server. */
const OWN: Partial<Record<ServerFault, { message: string; remedy: string }>> = {
  "mail-sender-refused": {
    message: "The mail server does not take mail from MAIL_FROM",
    remedy: "Check that this login may send from that address.",
  },
  "mail-template-missing": {
    message: "A mail template of this version is not there or can not be read",
    remedy: "The installation is not complete: run `npm run build`; in a workflow, run it again.",
  },
};

/** Of a fault that came without an answer. */
const KIND_OF: Partial<Record<ServerFault, ServerFaultKind>> = {
  "mail-tls-failed": "tls-failed",
  "mail-login-refused": "login-refused",
  "mail-server-busy": "busy",
};

/** The fault in words, with the server's number or the system's code. */
export function describeDeliveryFault({ code, detail, kind }: DeliveryFault): {
  message: string;
  remedy: string;
} {
  const own = OWN[code];
  if (own) return { ...own, message: detail === "" ? own.message : `${own.message} (${detail})` };
  return describeServerFault(
    { kind: kind ?? KIND_OF[code] ?? "no-answer", code: detail },
    { name: "The mail server", type: "smtp" },
  );
}

/** Green only where everything due was sent or lapsed, or the run was told to send no more. */
export function judgeDelivery(
  report: DeliveryReport,
  {
    fault,
    stopped,
    limited = false,
  }: { fault: DeliveryFault | undefined; stopped: boolean; limited?: boolean },
): Verdict {
  if (fault) {
    const { message, remedy } = describeDeliveryFault(fault);
    const left = `${report.left} of ${report.due} mails were not tried`;
    if (fault.code === "mail-server-busy") {
      return {
        kind: "partial",
        reason: fault.code,
        message: `${message}. The run stopped early: ${report.sent} mails were sent, ${left}.`,
        remedy: `${remedy} Mails that were not tried stay due and lose no try. If the server limits how much we send, ask its owner for more, or run notifications/deliver-outbox with --limit.`,
      };
    }
    return {
      kind: "failed",
      code: fault.code,
      message: `${message}.`,
      remedy: `${remedy} The mail stays due.`,
    };
  }
  if (stopped) return { kind: "interrupted" };
  if (report.gaveUp > 0) {
    return {
      kind: "partial",
      reason: "mail-given-up",
      message: `${report.gaveUp} of ${report.due} mails ${report.dryRun ? "would be" : "were"} given up.`,
      remedy:
        "Fix the causes listed below, then `npm run mails -- requeue ID --reason TEXT`; `npm run mails -- list --status GAVE_UP` shows all of them.",
    };
  }
  if (report.dryRun) return { kind: "completed" };
  if (report.sent === 0 && report.retriedLater > 0) {
    return {
      kind: "partial",
      reason: "mail-not-taken",
      message: `The mail server took none of ${report.retriedLater} mails; they are tried again later.`,
      remedy: "Look at the reasons below. Greylisting ends within a few tries, without action.",
    };
  }
  if (report.left > 0 && !limited && handled(report) > 0) {
    return {
      kind: "partial",
      reason: "work-left-behind",
      message: `${report.left} of ${report.due} mails are due and were not handled.`,
      remedy: "Run it again; if this repeats, the log has the result of each mail.",
    };
  }
  if (handled(report) === 0 && report.left > 0) {
    return {
      kind: "failed",
      code: "work-left-behind",
      message: `${report.left} mails are due and none was handled.`,
      remedy: "Run it again; if this repeats, the log has the result of each mail.",
    };
  }
  if (report.retriedLater > 0) {
    const warning = `${report.retriedLater} of ${report.due} mails were not taken and are tried again later; the reasons are below.`;
    return { kind: "completed", warning };
  }
  if (report.sent === 0 && report.skipped > 0) {
    const warning = `${report.skipped} mails are claimed by another run. Those that it does not finish are due again when its claims end.`;
    return { kind: "completed", warning };
  }
  return { kind: "completed" };
}
