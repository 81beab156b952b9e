/** How a server let us down, whichever server it is. An answer is never `no-answer`. */
export type ServerFaultKind =
  /** Nothing came back: no such host, no route, refused, cut off, or silent for too long. */
  | "no-answer"
  /** Nobody that we trust has signed its certificate. */
  | "certificate-untrusted"
  /** Its certificate has expired, or is not valid yet. */
  | "certificate-expired"
  /** Its certificate names another host. */
  | "certificate-of-other-host"
  /** We ask for TLS, and it has none. */
  | "no-tls"
  /** It wants TLS, and we speak plain text. */
  | "tls-only"
  /** Both speak TLS and could not agree. */
  | "tls-failed"
  /** A certificate or key file of ours can not be read. */
  | "certificate-file"
  | "login-refused"
  /** Of a database: there is none of that name. */
  | "missing"
  /** The server knows us but forbids the request, or refuses this machine. */
  | "not-allowed"
  /** A replica, or another node than the one that we need. */
  | "wrong-role"
  /** No memory, disk or connection is left. */
  | "full"
  /** It takes connections, and ends them or falls silent before it has answered. */
  | "breaks-off"
  /** It names another address, which is not followed. */
  | "redirects"
  /** It sends more than any answer of its kind has. */
  | "too-long"
  /** It starts, stops, or says: later. */
  | "busy"
  /** It answered, and nothing above says why it refuses. */
  | "unclear";

/** A server's error, or the way in which the server did not answer. */
export interface ServerFault {
  readonly kind: ServerFaultKind;
  /** The server's or the system's own code: `28P01`, `READONLY`, `CERT_HAS_EXPIRED`; empty where there is none. */
  readonly code: string;
}

/** Kinds of which another attempt in some seconds may go better. */
const MAY_PASS: ReadonlySet<ServerFaultKind> = new Set([
  "no-answer",
  "breaks-off",
  "full",
  "busy",
  "unclear",
]);

/** Whether a retry soon may help. A certificate or a login does not change without a person. */
export function mayPass({ kind }: ServerFault): boolean {
  return MAY_PASS.has(kind);
}

/** Whether the encryption of the connection is at fault. */
export function isTlsFault({ kind }: ServerFault): boolean {
  return kind.startsWith("certificate-") || kind.includes("tls");
}
