import { errorCode } from "../errors.ts";
import type { ServerFault, ServerFaultKind } from "./kinds.ts";
import { networkFault } from "./network.ts";

/** Fields that the mail client adds to its errors. Their messages quote the server, including addresses. */
export interface SmtpError extends Error {
  code?: string | undefined;
  /** The system's own code, where the client has put its own in front. */
  originalCode?: string | undefined;
  /** The current command; `CONN` for the connection itself, `API` for a message that never left. */
  command?: string | undefined;
  responseCode?: number | undefined;
  response?: string | undefined;
}

/**
 * The fault of a mail server or of the network. The class of the status decides before the command: 4xx means
 * "later" for every command (RFC 5321, 4.2.1). Holds a status or a code, never the server's words.
 */
export function smtpFault(thrown: unknown): ServerFault {
  const error: SmtpError = thrown instanceof Error ? thrown : new Error();
  const { responseCode = 0, command = "" } = error;
  if (responseCode >= 400) {
    return { kind: kindOfReply(error, responseCode, command), code: String(responseCode) };
  }
  const inner = faultOfLayers(error);
  if (inner !== undefined) return inner;
  if (error.code === "EAUTH") return { kind: "login-refused", code: "EAUTH" };
  if (error.code === "ETLS") return { kind: "tls-failed", code: "ETLS" };
  return { kind: "no-answer", code: plainCode(error) };
}

function kindOfReply(
  { code, response = "" }: SmtpError,
  number: number,
  command: string,
): ServerFaultKind {
  if (number < 500) return number === 452 ? "full" : "busy";
  // 530 5.7.0 Must issue a STARTTLS command first; 538: encryption required for this login.
  if (number === 538 || (number === 530 && /STARTTLS/i.test(response))) return "tls-only";
  if (code === "ETLS" || command === "STARTTLS") return "no-tls";
  if (number === 530 || number === 535 || command.startsWith("AUTH")) return "login-refused";
  return "not-allowed";
}

function faultOfLayers(error: SmtpError): ServerFault | undefined {
  const { originalCode } = error;
  const system =
    originalCode === undefined
      ? error
      : Object.assign(new Error(error.message), { code: originalCode });
  return networkFault(system);
}

/** The code alone, if it is one. */
function plainCode(error: SmtpError): string {
  const code = error.originalCode ?? errorCode(error) ?? "";
  return /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : "";
}
