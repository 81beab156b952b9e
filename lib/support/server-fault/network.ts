import { errorCode } from "../errors.ts";
import type { ServerFault, ServerFaultKind } from "./kinds.ts";
import { layersOf, messageOf } from "./layers.ts";

const BY_CODE: Readonly<Record<string, ServerFaultKind>> = {
  CERT_HAS_EXPIRED: "certificate-expired",
  CERT_NOT_YET_VALID: "certificate-expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate-of-other-host",
  ERR_TLS_CERT_ALTNAME_FORMAT: "certificate-of-other-host",
  HOSTNAME_MISMATCH: "certificate-of-other-host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate-untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate-untrusted",
  INVALID_CA: "certificate-untrusted",
  INVALID_PURPOSE: "certificate-untrusted",
  PATH_LENGTH_EXCEEDED: "certificate-untrusted",
  // OpenSSL, of bytes that are no TLS: the other side speaks plain text.
  ERR_SSL_WRONG_VERSION_NUMBER: "no-tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "no-tls",
  ERR_SSL_UNKNOWN_PROTOCOL: "no-tls",
  ERR_SSL_HTTP_REQUEST: "no-tls",
  EPROTO: "tls-failed",
  UND_ERR_PRX_TLS: "tls-failed",
  ECONNREFUSED: "no-answer",
  ECONNRESET: "no-answer",
  ECONNABORTED: "no-answer",
  EPIPE: "no-answer",
  ENOTFOUND: "no-answer",
  EAI_AGAIN: "no-answer",
  EAI_FAIL: "no-answer",
  EHOSTUNREACH: "no-answer",
  EHOSTDOWN: "no-answer",
  ENETUNREACH: "no-answer",
  ENETDOWN: "no-answer",
  ETIMEDOUT: "no-answer",
  UND_ERR_CONNECT_TIMEOUT: "no-answer",
  UND_ERR_SOCKET: "no-answer",
  EMSGSIZE: "too-long",
};

const UNTRUSTED = /^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_CRL|ERROR_IN_CERT)/;
const TLS_FAILED = /^(ERR_TLS_|ERR_SSL_)/;
const FILE_CODES: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR"]);
/** OpenSSL reads a certificate or key that is none. */
const NO_CERTIFICATE = /^ERR_OSSL_/;

/**
 * The fault for a code of Node, OpenSSL or the HTTP client; undefined for other codes. The only list of such
 * codes, shared by all servers.
 */
export function faultOfCode(code: string): ServerFault | undefined {
  const kind =
    BY_CODE[code] ??
    (UNTRUSTED.test(code)
      ? "certificate-untrusted"
      : TLS_FAILED.test(code)
        ? "tls-failed"
        : NO_CERTIFICATE.test(code)
          ? "certificate-file"
          : undefined);
  return kind === undefined ? undefined : { kind, code };
}

/** The same of an error, wherever the code is wrapped. */
export function networkFault(thrown: unknown): ServerFault | undefined {
  for (const layer of layersOf(thrown)) {
    const code = errorCode(layer) ?? "";
    if (FILE_CODES.has(code) && isOfFile(layer)) return { kind: "certificate-file", code };
    const fault = faultOfCode(code);
    // Older OpenSSL gives its reason in words alone.
    if (fault?.code === "EPROTO" && /wrong version number|packet length/i.test(messageOf(layer))) {
      return { kind: "no-tls", code };
    }
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Of a file that was opened, not of a socket in the file system. */
function isOfFile(layer: unknown): boolean {
  return (
    typeof layer === "object" && layer !== null && "syscall" in layer && layer.syscall !== "connect"
  );
}
