import {
  isTlsFault,
  smtpFault,
  type ServerFault as Said,
  type SmtpError,
} from "../support/server-fault/index.ts";
import type { MailAnswer, MailFault, ServerFault } from "./mailer.ts";

export type { SmtpError };

/** No session was made: nothing of any mail has left. */
export function faultOfConnecting(thrown: unknown): MailAnswer {
  const said = smtpFault(thrown);
  if (isTlsFault(said)) return ofServer("mail-tls-failed", said);
  if (isLater(said)) return ofServer("mail-server-busy", said);
  if (said.kind === "login-refused") return ofServer("mail-login-refused", said);
  return ofServer("mail-server-unreachable", said);
}

export function faultOfLogin(error: SmtpError): MailAnswer {
  const said = smtpFault(error);
  if (said.kind === "not-allowed") return ofServer("mail-login-refused", said);
  return faultOfConnecting(error);
}

/**
 * 4xx means "later" at every command; the command decides for which mail. MAIL FROM is the same for every mail,
 * and 421 ends the session: both are the server's state. Other commands may concern this recipient or this text.
 * A refusal of the sender concerns every mail too, one of the recipient or of the text only this mail. Without
 * an answer the sent part of the text decides.
 */
export function faultOfSending(
  error: SmtpError,
  { sentWhole }: { sentWhole: boolean },
): MailAnswer {
  const { responseCode = 0, command } = error;
  const said = smtpFault(error);
  if (responseCode === 530) return faultOfLogin(error);
  // An address that can not be written down for this server.
  if (isOurs(error)) return ofMail("mail-recipient-refused", said, { permanent: true });
  if (responseCode < 400) {
    return ofMail(sentWhole ? "mail-answer-lost" : "mail-connection-lost", said);
  }
  if (responseCode === 421 || (responseCode < 500 && command === "MAIL FROM")) {
    return ofServer("mail-server-busy", said);
  }
  if (responseCode < 500) return ofMail("mail-deferred", said, { ofReader: isOfReader(error) });
  // 503: the session was in the wrong state, which says nothing of the mail.
  if (responseCode === 503) return ofMail("mail-deferred", said);
  if (command === "MAIL FROM") return ofServer("mail-sender-refused", said);
  if (isPolicy(error)) return ofMail("mail-against-policy", said);
  const code = command === "RCPT TO" ? "mail-recipient-refused" : "mail-refused";
  return ofMail(code, said, { permanent: true });
}

function isLater({ code }: Said): boolean {
  return /^4\d\d$/.test(code);
}

/** `4.2.x` (RFC 3463) at a recipient: the state of that mailbox, or greylisting, and not of the server. */
function isOfReader({ command, response = "" }: SmtpError): boolean {
  return command === "RCPT TO" && /^4\d\d[ -]4\.2\.\d{1,3}\b/.test(response);
}

/** `5.7.x` (RFC 3463): security or policy, such as relaying that is not allowed to us. */
function isPolicy({ response = "" }: SmtpError): boolean {
  return /^5\d\d[ -]5\.7\.\d{1,3}\b/.test(response);
}

function isOurs({ code, command }: SmtpError): boolean {
  return command === "API" && (code === "EENVELOPE" || code === "EAUTH" || code === "EMESSAGE");
}

function ofServer(code: ServerFault, said: Said): MailAnswer {
  return { accepted: false, affects: "server", code, detail: said.code, kind: said.kind };
}

function ofMail(
  code: MailFault,
  said: Said,
  { permanent = false, ofReader = false }: { permanent?: boolean; ofReader?: boolean } = {},
): MailAnswer {
  const answer = { accepted: false, affects: "mail", permanent, code, detail: said.code } as const;
  return ofReader ? { ...answer, ofReader } : answer;
}
