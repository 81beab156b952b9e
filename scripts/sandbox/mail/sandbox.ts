import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { writePrivateFile } from "../../../lib/support/private-file.ts";
import { Script, type Behaviour, type Stage } from "./behaviour.ts";

/** A mail that the server took. */
export interface ReceivedMail {
  messageId: string;
  /** The address of the envelope. */
  recipient: string;
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  raw: string;
  /** Whether its sender was told so. */
  acknowledged: boolean;
}

export interface MailSandboxOptions {
  /** Each mail becomes an `.eml` file here. */
  saveTo?: string;
  /** Nothing is taken without it. Default: no login. */
  login?: { user: string; password: string };
  /** Offers STARTTLS, with a certificate that nobody trusts. */
  untrustedTls?: boolean;
}

export interface MailSandbox {
  /** `smtp://127.0.0.1:port`, with the login if there is one. */
  readonly url: string;
  /** `SMTP_URL` and `MAIL_FROM` of a job that sends here. */
  readonly env: { readonly SMTP_URL: string; readonly MAIL_FROM: string };
  /** The accepted mails, in order. */
  mails(): readonly ReceivedMail[];
  /** Behaviours to use instead of taking mail, once each unless stated otherwise. */
  behave(...behaviours: Behaviour[]): void;
  /** Back to taking everything. */
  behaveWell(): void;
  /** How often a stage was reached. */
  reached(stage: Stage): number;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/** Starts an SMTP server on this machine that takes all mail and sends none of it on. */
export async function startMailSandbox(options: MailSandboxOptions = {}): Promise<MailSandbox> {
  const { saveTo, login, untrustedTls = false } = options;
  const script = new Script();
  const mails: ReceivedMail[] = [];
  const counts = new Map<Stage, number>();
  const sockets = new Map<number, Socket>();
  if (saveTo !== undefined) mkdirSync(saveTo, { recursive: true });

  /** `next` continues the server; a server that hangs or drops never calls it. */
  const at = (
    stage: Stage,
    session: Pick<SMTPServerSession, "remotePort">,
    { next, recipient, take }: Continuation,
  ): void => {
    counts.set(stage, (counts.get(stage) ?? 0) + 1);
    const behaviour = script.take(stage, recipient);
    if (behaviour?.taken) take?.({ acknowledged: false });
    const go = (): void => {
      take?.({ acknowledged: true });
      next();
    };
    if (!behaviour) go();
    else if (behaviour.do === "drop") sockets.get(session.remotePort)?.destroy();
    else if (behaviour.do === "greylist") next(refusal(450, "4.2.0 try again later"));
    else if (behaviour.do === "hang") return;
    else if ("wait" in behaviour.do) void behaviour.do.wait.then(go);
    else next(refusal(behaviour.do.refuse, quoting(behaviour.do.saying, recipient)));
  };

  const server = new SMTPServer({
    banner: "mail sandbox",
    logger: false,
    disableReverseLookup: true,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disabledCommands: [
      ...(untrustedTls ? [] : ["STARTTLS"]),
      ...(login === undefined ? ["AUTH"] : []),
    ],
    closeTimeout: 100,
    onConnect: (session, next) => at("connect", session, { next }),
    onAuth: (auth, session, next) =>
      at("login", session, {
        next: (error) => {
          const isRight = auth.username === login?.user && auth.password === login?.password;
          if (error) next(error);
          else if (isRight) next(null, { user: auth.username });
          else next(refusal(535, `5.7.8 wrong login for ${auth.username ?? ""}`));
        },
      }),
    onMailFrom: ({ address }, session, next) => at("sender", session, { next, recipient: address }),
    onRcptTo: ({ address }, session, next) =>
      at("recipient", session, { next, recipient: address }),
    onData: (stream, session, next) => {
      const recipient = session.envelope.rcptTo[0]?.address ?? "";
      const chunks: Buffer[] = [];
      at("text", session, {
        recipient,
        next: (error) => {
          // A refusal of the text comes when all of it has been read, as the protocol wants it.
          stream.on("data", (chunk: Buffer) => chunks.push(chunk));
          stream.on("end", () => {
            if (error) {
              next(error);
              return;
            }
            const raw = Buffer.concat(chunks).toString("utf8");
            void read(raw, recipient).then((mail) => {
              const kept = { ...mail, acknowledged: false };
              let isKept = false;
              at("answer", session, {
                recipient,
                next,
                take: ({ acknowledged }) => {
                  kept.acknowledged = acknowledged;
                  if (isKept) return;
                  isKept = true;
                  mails.push(kept);
                  if (saveTo !== undefined) save(saveTo, { mail: kept, number: mails.length });
                },
              });
            });
          });
        },
      });
    },
  });
  // A client that breaks off is a case that this server exists for.
  server.on("error", () => undefined);
  server.server.on("connection", (socket: Socket) => {
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.once("close", () => sockets.delete(remotePort));
  });
  server.listen(0, HOST);
  await once(server.server, "listening");
  const address = server.server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const credentials = login
    ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`
    : "";
  const url = `smtp://${credentials}${HOST}:${address.port}`;

  return {
    url,
    env: { SMTP_URL: url, MAIL_FROM: "The marketplace <bookings@marketplace.example>" },
    mails: () => mails,
    behave: (...behaviours) => script.add(behaviours),
    behaveWell: () => script.clear(),
    reached: (stage) => counts.get(stage) ?? 0,
    close: async () => {
      for (const socket of sockets.values()) socket.destroy();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

interface Continuation {
  next: (error?: Error | null) => void;
  recipient?: string;
  take?: (how: { acknowledged: boolean }) => void;
}

/** Real servers repeat the address that they refuse. */
function quoting(saying: string | undefined, recipient: string | undefined): string {
  return saying ?? (recipient === undefined ? "refused" : `<${recipient}>: refused`);
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

async function read(raw: string, recipient: string): Promise<Omit<ReceivedMail, "acknowledged">> {
  const mail = await simpleParser(raw);
  const to = Array.isArray(mail.to) ? mail.to[0] : mail.to;
  return {
    messageId: mail.messageId ?? "",
    recipient,
    from: mail.from?.text ?? "",
    to: to?.text ?? "",
    subject: mail.subject ?? "",
    text: mail.text ?? "",
    html: typeof mail.html === "string" ? mail.html : "",
    raw,
  };
}

function save(folder: string, { mail, number }: { mail: ReceivedMail; number: number }): void {
  const name = mail.messageId.replace(/[^A-Za-z0-9-]+/g, "-").replace(/^-|-$/g, "");
  writePrivateFile(join(folder, `${String(number).padStart(4, "0")}-${name}.eml`), mail.raw);
}
