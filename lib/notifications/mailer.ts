import type { ServerFaultKind } from "../support/server-fault/index.ts";
import type { MailAddress } from "./settings.ts";

/** A mail as it is handed to a server. */
export interface Mail {
  /** The row of the outbox. Its Message-ID is made of it, so that each try bears the same one. */
  id: string;
  to: MailAddress;
  subject: string;
  text: string;
  html: string;
}

/** Why one mail was not taken. Stable; a server's own words quote addresses and are kept nowhere. */
export type MailFault =
  /** Refused for now, as by greylisting. */
  | "mail-deferred"
  /** Refused by a rule of the server, not because of the address: it may be mended on our side. */
  | "mail-against-policy"
  | "mail-recipient-refused"
  /** Refused for good after its text was seen. */
  | "mail-refused"
  /** The connection ended, or the server fell silent, before the text was sent whole. */
  | "mail-connection-lost"
  /** The same after the text was sent whole: the server may have taken it. */
  | "mail-answer-lost"
  /** Its template or its data are broken. */
  | "mail-not-rendered"
  /** The mailer threw. */
  | "mailer-failed";

/** Why no mail at all can be sent now. */
export type ServerFault =
  | "mail-server-unreachable"
  /** It answers, and says: later. Nothing is wrong with any mail, and none loses a try. */
  | "mail-server-busy"
  | "mail-tls-failed"
  | "mail-login-refused"
  | "mail-sender-refused"
  /** Our own fault, and no mail's either: a file of the installation is not there. */
  | "mail-template-missing";

export type MailAnswer =
  | { accepted: true }
  /** `permanent`: the same mail would be refused again. */
  | {
      accepted: false;
      affects: "mail";
      permanent: boolean;
      code: MailFault;
      detail: string;
      /** The refusal is about this reader's mailbox, and says nothing of the server. */
      ofReader?: boolean;
    }
  /** It was not this mail's fault: to try the next one is no use. */
  | {
      accepted: false;
      affects: "server";
      code: ServerFault;
      detail: string;
      /** The kind of the server's answer, if there was one. */
      kind?: ServerFaultKind;
    }
  /** The run was told to stop before the mail had left. */
  | { accepted: false; affects: "run" };

/** How mail leaves. A mailer that throws has not sent either. */
export interface Mailer {
  /** The longest that one `send` may take. A claim outlasts it. */
  readonly sendAtMostMs: number;
  /** `detail` of the answer holds the server's number or the system's code, never its words. */
  send(mail: Mail, options: { signal: AbortSignal }): Promise<MailAnswer>;
  close(): void;
}
