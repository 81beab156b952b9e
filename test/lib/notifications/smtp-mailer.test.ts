import { createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openMailer } from "../../../lib/notifications/smtp-mailer.ts";
import { mailSettings } from "../../support/mail.ts";

const MAIL = {
  id: "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42",
  to: { name: "Asha", address: "asha@buyers.example" },
  subject: "A mail",
  text: "text",
  html: "<p>text</p>",
};

it("a server that answers without end is left when the mail has used up its time", async () => {
  const server = await startServer({
    // A reply of many lines that never comes to its last one: no wait for a line is ever long.
    onRecipient: (socket) => {
      const line = setInterval(() => socket.write("250-and more\r\n"), 100);
      socket.once("close", () => clearInterval(line));
    },
  });
  const mailer = openMailer(mailSettings({ sandbox: server }));
  expect(await mailer.send(MAIL, { signal: new AbortController().signal })).toEqual({
    accepted: false,
    affects: "mail",
    permanent: false,
    code: "mail-connection-lost",
    detail: "timeout",
  });
  mailer.close();
});

it.each([
  ["an answer of one line", "x".repeat(65_536)],
  ["an answer of many lines", "250-and more\r\n".repeat(5_000)],
])("%s without end is left at its limit, long before time is up", async (_what, text) => {
  let sent = 0;
  const server = await startServer({
    onRecipient: (socket) => {
      const more = (): void => {
        while (!socket.destroyed) {
          sent += text.length;
          if (!socket.write(text)) return void socket.once("drain", more);
        }
      };
      more();
    },
  });
  const mailer = openMailer(mailSettings({ sandbox: server }));
  const answer = await mailer.send(MAIL, { signal: new AbortController().signal });
  expect(answer).toMatchObject({ accepted: false });
  expect(answer).not.toMatchObject({ detail: "timeout" });
  // What both systems keep in their buffers comes on top of 64 KiB.
  expect(sent).toBeLessThan(16 * 2 ** 20);
  mailer.close();
});

it("an address that can not be written down on one line is refused before anything leaves", async () => {
  const heard: string[] = [];
  const server = await startServer({ onLine: (line) => heard.push(line) });
  const mailer = openMailer(mailSettings({ sandbox: server }));
  const to = { name: "Asha", address: "asha>\r\nRCPT TO:<all@buyers.example" };
  expect(
    await mailer.send({ ...MAIL, to }, { signal: new AbortController().signal }),
  ).toMatchObject({ affects: "mail", permanent: true, code: "mail-recipient-refused" });
  expect(heard.filter((line) => /RCPT|DATA/.test(line))).toEqual([]);
  mailer.close();
});

/** A server by hand, for what no server does. */
async function startServer(options: {
  onRecipient?: (socket: Socket) => void;
  onLine?: (line: string) => void;
}): Promise<{ env: { SMTP_URL: string; MAIL_FROM: string } }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write("220 here\r\n");
    socket.on("data", (data) => {
      const line = data.toString();
      options.onLine?.(line);
      if (line.startsWith("RCPT") && options.onRecipient) options.onRecipient(socket);
      else socket.write("250 fine\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const SMTP_URL = `smtp://127.0.0.1:${address.port}`;
  return { env: { SMTP_URL, MAIL_FROM: "bookings@marketplace.example" } };
}
