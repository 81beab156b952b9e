import { connect } from "node:tls";

/**
 * Whether somebody on this port completes a TLS handshake: for a server that ended a plain connection, or kept
 * silent on it, without a word. Nothing is said over it, and no certificate is judged.
 */
export function speaksTls({
  host,
  port,
  atMostMs,
}: {
  host: string;
  port: number;
  atMostMs: number;
}): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false });
    const answer = (speaks: boolean): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(speaks);
    };
    const limit = setTimeout(() => answer(false), atMostMs);
    socket.once("secureConnect", () => answer(true));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });
}
