import type { Verdict } from "../support/verdict.ts";
import type { ServerFault } from "./mailer.ts";
import { handled, type DeliveryReport } from "./report.ts";

/** What ended a delivery before all that was due had been tried. */
export interface DeliveryFault {
  code: ServerFault;
  detail: string;
}

const FAULTS: Record<ServerFault, { message: string; remedy: string }> = {
  "mail-server-unreachable": {
    message: "The mail server can not be reached, or breaks off every time",
    remedy:
      "Check that it is up, that this machine may connect, and the host and port in SMTP_URL. The mail stays due.",
  },
  "mail-tls-failed": {
    message: "No encrypted connection to the mail server could be made",
    remedy:
      "Check its certificate, and whether SMTP_URL should be smtps://. Nothing is sent in the clear. The mail stays due.",
  },
  "mail-login-refused": {
    message: "The mail server refused the login, or asks for one",
    remedy: "Check the user and the password in SMTP_URL. The mail stays due.",
  },
  "mail-sender-refused": {
    message: "The mail server does not take mail from MAIL_FROM",
    remedy: "Check that this login may send from that address. The mail stays due.",
  },
  "mail-template-missing": {
    message: "A mail template of this version is not there or can not be read",
    remedy:
      "The installation is not complete: run `npm run build`; in a workflow, delete the cache of this commit's bundles. The mail stays due.",
  },
};

/** Zero sent while mail waits is never green. */
export function judgeDelivery(
  report: DeliveryReport,
  { fault, stopped }: { fault: DeliveryFault | undefined; stopped: boolean },
): Verdict {
  if (fault) {
    const { message, remedy } = FAULTS[fault.code];
    const said = fault.detail === "" ? "" : ` (${fault.detail})`;
    return { kind: "failed", code: fault.code, message: `${message}${said}.`, remedy };
  }
  if (stopped) return { kind: "interrupted" };
  if (report.gaveUp > 0) {
    return {
      kind: "partial",
      reason: "mail-given-up",
      message: `${report.gaveUp} of ${report.due} mails ${report.dryRun ? "would be" : "were"} given up.`,
      remedy:
        "Mend what is listed below, then `npm run mails -- requeue ID --reason TEXT`; `npm run mails -- list --status GAVE_UP` shows all of them.",
    };
  }
  if (report.dryRun) return { kind: "completed" };
  if (report.sent === 0 && report.retriedLater > 0) {
    return {
      kind: "partial",
      reason: "mail-not-taken",
      message: `The mail server took none of ${report.retriedLater} mails; they are tried again later.`,
      remedy: "Look at the reasons below. Greylisting ends by itself within a few tries.",
    };
  }
  if (handled(report) === 0 && report.left > 0) {
    return {
      kind: "failed",
      code: "work-left-behind",
      message: `${report.left} mails are due and none was handled.`,
      remedy: "Run it again; if this repeats, the log says what became of each mail.",
    };
  }
  if (report.sent === 0 && report.skipped > 0) {
    const warning = `${report.skipped} mails are in the hands of another run. What it does not settle is due again when its claims end.`;
    return { kind: "completed", warning };
  }
  return { kind: "completed" };
}
