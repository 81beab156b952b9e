import { TLSSocket } from "node:tls";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { channelOf, type Channel } from "../support/channel.ts";
import { seconds } from "../support/clock.ts";
import { smtpFault, speaksTls } from "../support/server-fault/index.ts";
import type { MailAnswer } from "./mailer.ts";
import type { MailSettings } from "./settings.ts";
import { faultOfConnecting, faultOfLogin, type SmtpError } from "./smtp-faults.ts";

/** How long a server has to say goodbye. */
export const LEAVE_MS = seconds(1);

/** One answer of a mail server has some hundred bytes; an endless one would fill the memory until time is up. */
const LARGEST_ANSWER_BYTES = 64 * 2 ** 10;

/** A connection that is not open yet, with the TLS that the settings ask for. */
export function newConnection({ smtp, from }: MailSettings): SMTPConnection {
  return new SMTPConnection({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.tls === "implicit",
    requireTLS: smtp.tls === "required",
    connectionTimeout: smtp.timeoutMs,
    greetingTimeout: smtp.timeoutMs,
    dnsTimeout: smtp.timeoutMs,
    socketTimeout: smtp.timeoutMs,
    socketCloseTimeout: LEAVE_MS,
    maxResponseSize: LARGEST_ANSWER_BYTES,
    allowInternalNetworkInterfaces: true,
    name: from.address.slice(from.address.lastIndexOf("@") + 1),
  });
}

/** Opens it and logs in, if there is a login; undefined when the server takes mail from us now. */
export async function openSession(
  connection: SMTPConnection,
  { smtp }: MailSettings,
): Promise<MailAnswer | undefined> {
  const { login } = smtp;
  const failure = await firstAnswer((done) => {
    connection.once("error", done);
    connection.connect(done);
  });
  if (failure) return (await wantsTls(failure, smtp)) ?? faultOfConnecting(failure);
  if (!login) return undefined;
  const refused = await firstAnswer((done) => {
    connection.once("error", done);
    connection.login({ user: login.user, pass: login.password }, done);
  });
  return refused ? faultOfLogin(refused) : undefined;
}

/** How long a server has for a handshake that is made only to learn whether it wants one. */
const HANDSHAKE_MS = seconds(1);

/**
 * A server that speaks TLS from the first byte waits for our handshake, and sends no greeting in plain text.
 */
async function wantsTls(
  failure: SmtpError,
  { host, port, tls }: MailSettings["smtp"],
): Promise<MailAnswer | undefined> {
  const said = smtpFault(failure);
  if (tls === "implicit" || said.kind !== "no-answer" || said.code === "ECONNREFUSED") return;
  if (!(await speaksTls({ host, port, atMostMs: HANDSHAKE_MS }))) return;
  const { code: detail } = said;
  return {
    accepted: false,
    affects: "server",
    code: "mail-tls-failed",
    detail,
    kind: "tls-only",
  };
}

/**
 * Whether the mail server can be reached, has the wanted TLS, and takes the login. Sends no mail and names no
 * address. Returns the properties of the connection, or the fault. A server that is silent for `atMostMs` cannot
 * be reached.
 */
export async function askMailServer(
  settings: MailSettings,
  { atMostMs }: { atMostMs: number },
): Promise<MailAnswer | Channel> {
  const connection = newConnection(settings);
  let limit: NodeJS.Timeout | undefined;
  const silent = new Promise<MailAnswer>((resolve) => {
    limit = setTimeout(() => resolve(faultOfConnecting(new Error("silent"))), atMostMs);
  });
  try {
    const refusal = await Promise.race([openSession(connection, settings), silent]);
    if (refusal !== undefined) return refusal;
    const { _socket: socket, secureConnection } = connection as unknown as SmtpInside;
    const channel = channelOf(socket, settings.smtp.host);
    const how = secureConnection ? "TLS from the first byte" : "STARTTLS";
    return socket instanceof TLSSocket
      ? { ...channel, words: `${how}, ${channel.words}` }
      : channel;
  } finally {
    clearTimeout(limit);
    connection.on("error", () => undefined);
    connection.close();
  }
}

/** Of the connection's own, for a look at the socket that it uses now. */
interface SmtpInside {
  _socket: unknown;
  secureConnection: boolean;
}

/** The first of a step's own answer and the connection's error; undefined on success. */
function firstAnswer(
  step: (done: (error?: Error | null) => void) => void,
): Promise<SmtpError | undefined> {
  return new Promise((resolve) => step((error) => resolve(error ?? undefined)));
}
