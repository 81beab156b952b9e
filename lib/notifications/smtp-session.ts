import SMTPConnection from "nodemailer/lib/smtp-connection";
import { seconds } from "../support/clock.ts";
import type { MailAnswer } from "./mailer.ts";
import type { MailSettings } from "./settings.ts";
import { faultOfConnecting, faultOfLogin, type SmtpError } from "./smtp-faults.ts";

/** How long a server has to say goodbye. */
export const LEAVE_MS = seconds(1);

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
    allowInternalNetworkInterfaces: true,
    name: from.address.slice(from.address.lastIndexOf("@") + 1),
  });
}

/** Opens it and logs in, if there is a login; undefined when the server takes mail from us now. */
export async function openSession(
  connection: SMTPConnection,
  { smtp: { login } }: MailSettings,
): Promise<MailAnswer | undefined> {
  const failure = await firstAnswer((done) => {
    connection.once("error", done);
    connection.connect(done);
  });
  if (failure) return faultOfConnecting(failure);
  if (!login) return undefined;
  const refused = await firstAnswer((done) => {
    connection.once("error", done);
    connection.login({ user: login.user, pass: login.password }, done);
  });
  return refused ? faultOfLogin(refused) : undefined;
}

/**
 * Whether the mail server can be reached, has the TLS that is asked for, and takes the login. Sends nothing and
 * names nobody. Bounded: a server that is silent for `atMostMs` can not be reached.
 */
export async function askMailServer(
  settings: MailSettings,
  { atMostMs }: { atMostMs: number },
): Promise<MailAnswer | undefined> {
  const connection = newConnection(settings);
  let limit: NodeJS.Timeout | undefined;
  const silent = new Promise<MailAnswer>((resolve) => {
    limit = setTimeout(() => resolve(faultOfConnecting(new Error("silent"))), atMostMs);
  });
  try {
    return await Promise.race([openSession(connection, settings), silent]);
  } finally {
    clearTimeout(limit);
    connection.on("error", () => undefined);
    connection.close();
  }
}

/** What comes first of a step's own answer and the connection's error; undefined when it went well. */
function firstAnswer(
  step: (done: (error?: Error | null) => void) => void,
): Promise<SmtpError | undefined> {
  return new Promise((resolve) => step((error) => resolve(error ?? undefined)));
}
