import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import type { Certificate } from "./certificates.ts";

/** Where a reply can be given: each is asked with the number of mails that were taken so far. */
export type SmtpStep = "greeting" | "EHLO" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "text";

export interface ScriptedSmtp {
  readonly env: { readonly SMTP_URL: string; readonly MAIL_FROM: string };
  /** Mails that were taken. */
  taken(): number;
  /** How often a step was reached. */
  reached(step: SmtpStep): number;
}

/**
 * A mail server by hand, for replies at commands at which a library gives none. A reply of 421 ends the
 * session, as the protocol wants it.
 *
 * @param reply another reply than the usual one
 */
export async function startScriptedSmtp({
  reply,
  login = "",
  certificate,
}: {
  reply: (step: SmtpStep, taken: number) => string | undefined;
  login?: string;
  /** Speaks TLS from the first byte. */
  certificate?: Certificate;
}): Promise<ScriptedSmtp> {
  const sockets = new Set<Socket>();
  const counts = new Map<SmtpStep, number>();
  let taken = 0;
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let isText = false;
    let buffer = "";
    const say = (step: SmtpStep, usual: string): void => {
      counts.set(step, (counts.get(step) ?? 0) + 1);
      const text = reply(step, taken) ?? usual;
      if (step === "DATA" && text.startsWith("354")) isText = true;
      if (step === "text" && text.startsWith("250")) taken += 1;
      socket.write(`${text}\r\n`);
      if (text.startsWith("421") || (step === "greeting" && !text.startsWith("220"))) socket.end();
    };
    say("greeting", "220 scripted");
    socket.on("data", (data) => {
      buffer += data.toString("latin1");
      for (;;) {
        const end = isText ? "\r\n.\r\n" : "\r\n";
        const at = buffer.indexOf(end);
        if (at < 0) return;
        const line = buffer.slice(0, at).toUpperCase();
        buffer = buffer.slice(at + end.length);
        if (isText) {
          isText = false;
          say("text", "250 taken");
        } else if (line.startsWith("EHLO")) say("EHLO", "250-scripted\r\n250 AUTH PLAIN");
        else if (line.startsWith("AUTH")) say("AUTH", "235 welcome");
        else if (line.startsWith("MAIL")) say("MAIL", "250 ok");
        else if (line.startsWith("RCPT")) say("RCPT", "250 ok");
        else if (line.startsWith("DATA")) say("DATA", "354 go on");
        else if (line.startsWith("STARTTLS")) socket.write("502 5.5.1 not here\r\n");
        else if (line.startsWith("QUIT")) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  };
  const server: Server =
    certificate === undefined
      ? createServer(serve)
      : createTlsServer(
          { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
          serve,
        );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const host = `${login === "" ? "" : `${login}@`}127.0.0.1`;
  return {
    env: {
      SMTP_URL: `smtp://${host}:${address.port}`,
      MAIL_FROM: "bookings@marketplace.example",
    },
    taken: () => taken,
    reached: (step) => counts.get(step) ?? 0,
  };
}
