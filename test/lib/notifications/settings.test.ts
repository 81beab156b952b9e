import { describe, expect, it } from "vitest";
import { mailEnvironment, mailEnvironmentOptional } from "../../../lib/notifications/settings.ts";

const ENV = {
  SMTP_URL: "smtps://app%40host:p%3Ass@mail.example:4465",
  MAIL_FROM: "The marketplace <bookings@marketplace.example>",
};

describe("the mail environment", () => {
  it("is read, and its secrets are known", () => {
    expect(mailEnvironment.parse({ ...ENV, MAIL_REPLY_TO: "help@marketplace.example" })).toEqual({
      ok: true,
      settings: {
        mail: {
          smtp: {
            host: "mail.example",
            port: 4465,
            tls: "implicit",
            login: { user: "app@host", password: "p:ss" },
            timeoutMs: 20_000,
          },
          from: { name: "The marketplace", address: "bookings@marketplace.example" },
          replyTo: { name: "", address: "help@marketplace.example" },
          maxTries: 8,
        },
      },
      secrets: [ENV.SMTP_URL, "app@host", "p:ss", "app@host:p:ss"],
    });
  });

  it.each([
    ["smtp://mail.example", undefined, "required", 587],
    ["smtp://127.0.0.1:2525", undefined, "optional", 2525],
    ["smtp://[::1]:2525", undefined, "optional", 2525],
    ["smtp://localhost:2525", "required", "required", 2525],
    ["smtps://mail.example", "optional", "implicit", 465],
  ])("%s with SMTP_TLS %s: TLS is %s", (url, tls, expected, port) => {
    const parsed = mailEnvironment.parse({ ...ENV, SMTP_URL: url, SMTP_TLS: tls });
    expect(parsed).toMatchObject({
      ok: true,
      settings: { mail: { smtp: { tls: expected, port } } },
    });
  });

  it("refuses to send in the clear to another machine, unless ALLOW_PLAINTEXT names it", () => {
    const env = { ...ENV, SMTP_URL: "smtp://mail.example", SMTP_TLS: "optional" };
    expect(mailEnvironment.parse(env)).toMatchObject({
      ok: false,
      problems: [
        {
          variable: "SMTP_TLS",
          problem: expect.stringMatching(
            /^SMTP_TLS=optional does not protect the data sent to mail\.example: expected SMTP_TLS=required or smtps/,
          ) as string,
        },
      ],
    });
    expect(mailEnvironment.parse({ ...env, ALLOW_PLAINTEXT: "mail.example" })).toMatchObject({
      ok: true,
      settings: { mail: { smtp: { tls: "optional" } } },
    });
  });

  it("names all that is wrong at once, and never a value", () => {
    const parsed = mailEnvironment.parse({
      SMTP_URL: "https://secret.example",
      MAIL_FROM: "nobody",
      MAIL_REPLY_TO: "a@b.example\nBcc: c@d.example",
      SMTP_TLS: "off",
      SMTP_TIMEOUT_MS: "0",
      MAIL_MAX_TRIES: "many",
    });
    if (parsed.ok) throw new Error("it was taken");
    expect(parsed.problems.map(({ variable }) => variable).sort()).toEqual([
      "MAIL_FROM",
      "MAIL_MAX_TRIES",
      "MAIL_REPLY_TO",
      "SMTP_TIMEOUT_MS",
      "SMTP_TLS",
      "SMTP_URL",
    ]);
    expect(JSON.stringify(parsed)).not.toMatch(/secret\.example|nobody|c@d/);
  });

  it.each([
    "smtp://user@mail.example",
    "smtp://:password@mail.example",
    "smtp://us%er:password@mail.example",
    "smtp://mail.example/path",
    "smtp://mail.example?pool=true",
    "smtp://",
    "mail.example:587",
  ])("refuses %s", (url) => {
    expect(mailEnvironment.parse({ ...ENV, SMTP_URL: url })).toMatchObject({
      ok: false,
      problems: [{ variable: "SMTP_URL" }],
    });
  });

  it.each([
    "a@b.example, c@d.example",
    "<a@b.example",
    "a@b.example>",
    "A\r\nBcc: x <a@b.example>",
    "a@",
    "@b.example",
  ])("does not take %j for a sender", (from) => {
    expect(mailEnvironment.parse({ ...ENV, MAIL_FROM: from })).toMatchObject({
      ok: false,
      problems: [{ variable: "MAIL_FROM" }],
    });
  });
});

describe("the mail environment of a job that only writes mail", () => {
  it("may be missing", () => {
    expect(mailEnvironmentOptional.parse({ SMTP_URL: " " })).toEqual({
      ok: true,
      settings: { mail: undefined },
      secrets: [],
    });
    expect(mailEnvironmentOptional.variables.some(({ required }) => required)).toBe(false);
  });

  it("may not be there by half", () => {
    expect(mailEnvironmentOptional.parse({ SMTP_URL: ENV.SMTP_URL })).toMatchObject({
      ok: false,
      problems: [{ variable: "MAIL_FROM" }],
    });
    expect(mailEnvironmentOptional.parse(ENV)).toMatchObject({ ok: true });
  });
});
