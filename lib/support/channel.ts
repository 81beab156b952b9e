import { checkServerIdentity, TLSSocket } from "node:tls";
import { bareHost, isLoopbackHost } from "./loopback.ts";

/** The properties of an open connection. */
export interface Channel {
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384, certificate and host name verified`, or `plain text`. */
  words: string;
  /** Encrypted to a server that proved its name, or within this machine. */
  isSafe: boolean;
}

/** Read from the socket itself, not from the settings that asked for it. */
export function channelOf(socket: unknown, host: string): Channel {
  const isHere = host.startsWith("/") || isLoopbackHost(host);
  if (!(socket instanceof TLSSocket)) {
    return { words: isHere ? "plain text within this machine" : "plain text", isSafe: isHere };
  }
  const isVerified =
    socket.authorized &&
    checkServerIdentity(bareHost(host), socket.getPeerCertificate()) === undefined;
  const judged = isVerified
    ? "certificate and host name verified"
    : socket.authorized
      ? "certificate verified, host name NOT verified"
      : "certificate NOT verified";
  const words = `${socket.getProtocol() ?? "TLS"} ${socket.getCipher().standardName}, ${judged}`;
  return { words, isSafe: isHere || isVerified };
}
