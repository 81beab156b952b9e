import { errorCode } from "../support/errors.ts";
import type { MailAnswer, MailFault, ServerFault } from "./mailer.ts";

/** What nodemailer hangs on its errors. Their messages quote the server, and addresses with it. */
export interface SmtpError extends Error {
  code?: string | undefined;
  /** The system's own code, where nodemailer has put its own in front. */
  originalCode?: string | undefined;
  /** The command under way; `CONN` for the connection itself, `API` for what never left. */
  command?: string | undefined;
  responseCode?: number | undefined;
  response?: string | undefined;
}

const TLS_CODE = /CERT|TLS|SSL|UNABLE_TO|SIGNED/;

/** No session was made: nothing of any mail has left. */
export function faultOfConnecting(thrown: unknown): MailAnswer {
  const error: SmtpError = thrown instanceof Error ? thrown : new Error();
  const isTls = TLS_CODE.test(error.originalCode ?? "") || TLS_CODE.test(error.code ?? "");
  return ofServer(isTls ? "mail-tls-failed" : "mail-server-unreachable", error);
}

export function faultOfLogin(error: SmtpError): MailAnswer {
  const isRefused = (error.responseCode ?? 0) >= 500 || (!error.responseCode && isOurs(error));
  return ofServer(isRefused ? "mail-login-refused" : "mail-server-unreachable", error);
}

/**
 * A refusal of the sender concerns every mail, one of the recipient or of the text this one. Without an
 * answer it depends on how far the text had got.
 */
export function faultOfSending(
  error: SmtpError,
  { sentWhole }: { sentWhole: boolean },
): MailAnswer {
  const { responseCode = 0, command } = error;
  if (responseCode === 530) return ofServer("mail-login-refused", error);
  if (command === "MAIL FROM" && responseCode >= 400 && responseCode !== 421) {
    return ofServer("mail-sender-refused", error);
  }
  // An address that can not be written down for this server.
  if (isOurs(error)) return ofMail("mail-recipient-refused", error, { permanent: true });
  if (responseCode < 400) {
    return ofMail(sentWhole ? "mail-answer-lost" : "mail-connection-lost", error);
  }
  // 503: the session was in the wrong state, which says nothing of the mail.
  if (responseCode < 500 || responseCode === 503) return ofMail("mail-deferred", error);
  if (isPolicy(error)) return ofMail("mail-against-policy", error);
  const code = command === "RCPT TO" ? "mail-recipient-refused" : "mail-refused";
  return ofMail(code, error, { permanent: true });
}

/** `5.7.x` (RFC 3463): security or policy, such as relaying that is not allowed to us. */
function isPolicy({ response = "" }: SmtpError): boolean {
  return /^5\d\d[ -]5\.7\.\d{1,3}\b/.test(response);
}

function isOurs({ code, command }: SmtpError): boolean {
  return command === "API" && (code === "EENVELOPE" || code === "EAUTH" || code === "EMESSAGE");
}

function ofServer(code: ServerFault, error: SmtpError): MailAnswer {
  return { accepted: false, affects: "server", code, detail: detailOf(error) };
}

function ofMail(
  code: MailFault,
  error: SmtpError,
  { permanent = false }: { permanent?: boolean } = {},
): MailAnswer {
  return { accepted: false, affects: "mail", permanent, code, detail: detailOf(error) };
}

/** A number or a code, and none of the words. */
function detailOf(error: SmtpError): string {
  if (error.responseCode) return String(error.responseCode);
  const code = error.originalCode ?? errorCode(error) ?? "";
  return /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : "";
}
