import { Readable } from "node:stream";
import MailComposer from "nodemailer/lib/mail-composer";
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import { seconds } from "../support/clock.ts";
import type { Mail, MailAnswer, Mailer } from "./mailer.ts";
import type { MailSettings } from "./settings.ts";
import { faultOfConnecting, faultOfSending, type SmtpError } from "./smtp-faults.ts";
import { LEAVE_MS, newConnection, openSession } from "./smtp-session.ts";

/** A mail on its way may use up this many of the longest waits, connecting and login included. */
const WAITS = 3;
/** The time for a mail in progress when the run is told to stop. */
const GRACE_MS = seconds(3);

/**
 * Sends over one connection. It is opened for the first mail, used for all, and opened again after each refused
 * mail. Never retries a mail: the outbox decides about retries.
 */
export function openMailer(settings: MailSettings): Mailer {
  let idle: SMTPConnection | undefined;
  const sendAtMostMs = WAITS * settings.smtp.timeoutMs;
  return {
    sendAtMostMs,
    close() {
      const leaving = idle;
      idle = undefined;
      leaving?.quit();
      // A server that does not say goodbye keeps no run from ending.
      if (leaving) setTimeout(() => leaving.close(), LEAVE_MS).unref();
    },
    async send(mail, { signal }) {
      const raw = await compose(mail, settings);
      const attempt = new Attempt(settings, { mail, raw, from: settings.from.address });
      const limit = setTimeout(() => attempt.giveUp("timeout"), sendAtMostMs);
      let grace: NodeJS.Timeout | undefined;
      const onAbort = (): void =>
        void (grace ??= setTimeout(() => attempt.giveUp("stop"), GRACE_MS));
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
      try {
        const used = idle;
        idle = undefined;
        const { answer, connection } = await attempt.run(used);
        idle = connection;
        return answer;
      } finally {
        clearTimeout(limit);
        clearTimeout(grace);
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}

/** The mail as bytes. Names and subject can't leave their headers: they are encoded where they must be. */
export async function compose(
  mail: Mail,
  { from, replyTo }: Pick<MailSettings, "from" | "replyTo">,
): Promise<Buffer> {
  return new MailComposer({
    messageId: messageIdOf(mail.id, from.address),
    from,
    to: mail.to,
    ...(replyTo === undefined ? {} : { replyTo }),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    // Nobody is away for a machine.
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
}

/** `<mail-ID@domain>`: the same for each try of a mail, and for no other. */
function messageIdOf(mailId: string, from: string): string {
  return `<mail-${mailId}@${from.slice(from.lastIndexOf("@") + 1).toLowerCase()}>`;
}

interface Letter {
  mail: Mail;
  raw: Buffer;
  from: string;
}

interface Outcome {
  answer: MailAnswer;
  /** Fit for the next mail. */
  connection?: SMTPConnection;
}

/** One mail on its way. The first thing that happens to it is its outcome. */
class Attempt {
  readonly #settings: MailSettings;
  readonly #letter: Letter;
  #connection: SMTPConnection | undefined;
  #body: Readable | undefined;
  #phase: "connect" | "send" = "connect";
  #settle: (outcome: Outcome) => void = () => undefined;

  constructor(settings: MailSettings, letter: Letter) {
    this.#settings = settings;
    this.#letter = letter;
  }

  /** `used`: a connection that has carried other mails. */
  run(used: SMTPConnection | undefined): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      if (used) this.#send(used, { isUsed: true });
      else this.#connect().catch(reject);
    });
  }

  giveUp(why: "timeout" | "stop"): void {
    if (this.#isSentWhole()) this.#end(lost("mail-answer-lost", why));
    else if (why === "stop") this.#end({ accepted: false, affects: "run" });
    else if (this.#phase === "connect") {
      this.#end({
        accepted: false,
        affects: "server",
        code: "mail-server-unreachable",
        detail: why,
      });
    } else this.#end(lost("mail-connection-lost", why));
  }

  async #connect(): Promise<void> {
    const connection = newConnection(this.#settings);
    this.#connection = connection;
    const failure = await openSession(connection, this.#settings);
    if (failure) this.#end(failure);
    else this.#send(connection, { isUsed: false });
  }

  #send(connection: SMTPConnection, { isUsed }: { isUsed: boolean }): void {
    const { mail, raw, from } = this.#letter;
    this.#connection = connection;
    this.#phase = "send";
    const body = Readable.from([raw], { objectMode: false });
    this.#body = body;
    connection.removeAllListeners("error");
    connection.on("error", ignore);
    connection.send({ from, to: [mail.to.address] }, body, (error: SmtpError | null) => {
      if (!error) {
        this.#settle({ answer: { accepted: true }, connection });
      } else if (isUsed && !body.readableDidRead && isGone(error)) {
        // The server had closed it while nothing was under way; nothing of this mail has left.
        connection.close();
        this.#phase = "connect";
        this.#body = undefined;
        this.#connect().catch((thrown: unknown) => this.#end(faultOfConnecting(thrown)));
      } else {
        this.#end(faultOfSending(error, { sentWhole: this.#isSentWhole() }));
      }
    });
  }

  #isSentWhole(): boolean {
    return this.#body?.readableEnded === true;
  }

  #end(answer: MailAnswer): void {
    this.#settle({ answer });
    this.#connection?.on("error", ignore);
    this.#connection?.close();
  }
}

const ignore = (): void => undefined;

function lost(code: "mail-answer-lost" | "mail-connection-lost", detail: string): MailAnswer {
  return { accepted: false, affects: "mail", permanent: false, code, detail };
}

/** 421 to the recipient or the text was said to this mail, and is no farewell to an idle connection. */
function isGone({ code, responseCode, command }: SmtpError): boolean {
  if (responseCode === 421) return command !== "RCPT TO" && command !== "DATA";
  return code === "ECONNECTION" || code === "ESOCKET";
}

/** For a dry run: refuses to send anything. */
export const dryMailer: Mailer = {
  sendAtMostMs: 0,
  send: () => Promise.reject(new Error("a dry run sends no mail")),
  close: () => undefined,
};
