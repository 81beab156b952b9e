import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeCertificates, type TestCertificates } from "../../support/certificates.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { letHoursPass, mailRows, runDelivery, seedMails } from "../../support/mail.ts";
import { startScriptedSmtp, type SmtpStep } from "../../support/scripted-smtp.ts";

async function seeded(count: number): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await seedMails(database, count);
  return database;
}

/** Replies with `text` at `step` once so many mails were taken. */
const at =
  (step: SmtpStep, text: string, after = 0) =>
  (reached: SmtpStep, taken: number): string | undefined =>
    reached === step && taken >= after ? text : undefined;

describe("a mail server that says later", () => {
  it.each<[SmtpStep, string, number]>([
    ["greeting", "451 4.3.2 server is too busy, try again later", 0],
    ["greeting", "421 4.3.2 server is shutting down", 0],
    ["EHLO", "421 4.7.0 too many connections", 0],
    ["AUTH", "454 4.7.0 Temporary authentication failure", 0],
    ["MAIL", "452 4.3.1 Insufficient system storage", 0],
    ["MAIL", "451 4.7.1 rate limit, try again later", 3],
    ["RCPT", "421 4.7.0 too many recipients", 3],
    ["DATA", "421 4.3.0 Temporary System Problem. Try again later (10)", 2],
    ["text", "421 4.7.0 daily limit", 1],
  ])("at %s with %s is left at once, and no mail has lost a try", async (step, text, after) => {
    const database = await seeded(12);
    let isBusy = true;
    const sandbox = await startScriptedSmtp({
      login: "app:secret",
      reply: (reached, taken) => (isBusy ? at(step, text, after)(reached, taken) : undefined),
    });

    const { verdict, report } = await runDelivery({ database, sandbox });

    expect(verdict).toMatchObject({ kind: "partial", reason: "mail-server-busy" });
    const said = "message" in verdict ? verdict.message : "";
    expect(said).toContain(`(${text.slice(0, 3)})`);
    expect(said).toContain(`${12 - after} of 12 mails were not tried`);
    expect(said).not.toMatch(/reached|MAIL_FROM|everything/i);
    expect(report).toMatchObject({ due: 12, sent: after, left: 12 - after, retriedLater: 0 });
    expect(sandbox.taken()).toBe(after);
    // MAIL is the first command of a mail: on a connection that was idle, 421 is worth another connection.
    expect(sandbox.reached(step)).toBe(after + 1);
    const rows = await mailRows(database);
    expect(rows.filter(({ status }) => status === "SENT")).toHaveLength(after);
    expect(rows.every(({ tries, claimed }) => tries === 0 && !claimed)).toBe(true);

    isBusy = false;
    expect((await runDelivery({ database, sandbox })).report).toMatchObject({ sent: 12 - after });
    expect(sandbox.taken()).toBe(12);
  });

  it.each([
    ["RCPT", "450 4.7.1 Error: too much mail from 10.0.0.1"],
    ["text", "451 4.3.0 queue is full"],
  ] as const)(
    "to one mail after the other at %s is asked no more after five",
    async (step, text) => {
      const database = await seeded(30);
      const sandbox = await startScriptedSmtp({ reply: at(step, text, 2) });
      const { verdict, report } = await runDelivery({ database, sandbox });
      expect(verdict).toMatchObject({ kind: "partial", reason: "mail-server-busy" });
      expect(report).toMatchObject({ due: 30, sent: 2, retriedLater: 5, left: 23, gaveUp: 0 });
      const rows = await mailRows(database);
      expect(rows.map(({ tries }) => tries).sort()).toEqual([
        ...Array<number>(25).fill(0),
        ...Array<number>(5).fill(1),
      ]);
    },
  );

  it("to some, and takes others between, is sent the rest, and the run says what is open", async () => {
    const database = await seeded(12);
    let asked = 0;
    const sandbox = await startScriptedSmtp({
      reply: (step) =>
        step === "RCPT" && (asked += 1) % 4 !== 0 ? "450 4.7.1 slow down" : undefined,
    });
    const { verdict, report } = await runDelivery({ database, sandbox });
    expect(report).toMatchObject({ sent: 3, retriedLater: 9, left: 0 });
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringContaining("9 of 12 mails were not taken") as string,
    });
  });

  it("by greylisting is asked for every reader, since that is what ends it", async () => {
    const database = await seeded(12);
    const greeted = new Set<number>();
    let asked = 0;
    const sandbox = await startScriptedSmtp({
      reply: (step) => {
        if (step !== "RCPT" || greeted.size >= 12) return undefined;
        greeted.add((asked += 1));
        return "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted";
      },
    });
    const { verdict, report } = await runDelivery({ database, sandbox });
    expect(verdict).toMatchObject({ kind: "partial", reason: "mail-not-taken" });
    expect(report).toMatchObject({ retriedLater: 12, left: 0 });
    await letHoursPass(database);
    expect((await runDelivery({ database, sandbox })).report).toMatchObject({ sent: 12 });
  });
});

it("a refusal for good at MAIL FROM is one of the sender", async () => {
  const database = await seeded(2);
  const sandbox = await startScriptedSmtp({ reply: at("MAIL", "553 5.7.1 not yours") });
  expect((await runDelivery({ database, sandbox })).verdict).toMatchObject({
    kind: "failed",
    code: "mail-sender-refused",
    message: expect.stringContaining("MAIL_FROM (553)") as string,
  });
});

describe("a mail server that speaks TLS", () => {
  let certificates: TestCertificates;
  beforeAll(() => void (certificates = makeCertificates()));
  afterAll(() => certificates.remove());
  const verdictOf = async (
    server: Parameters<typeof startScriptedSmtp>[0],
    scheme: "smtp" | "smtps",
    env: Record<string, string> = {},
  ): Promise<string> => {
    const database = await seeded(1);
    const sandbox = await startScriptedSmtp(server);
    const SMTP_URL = sandbox.env.SMTP_URL.replace("smtp://", `${scheme}://`);
    const { verdict } = await runDelivery({ database, sandbox, env: { ...env, SMTP_URL } });
    expect(verdict).toMatchObject({ kind: "failed", code: "mail-tls-failed" });
    expect(await mailRows(database)).toMatchObject([{ status: "QUEUED", tries: 0 }]);
    return "message" in verdict
      ? `${verdict.message} ${"remedy" in verdict ? verdict.remedy : ""}`
      : "";
  };
  const usual = (): undefined => undefined;

  it("with a certificate that is not right says in which way", async () => {
    const { selfSigned, expired, ofOtherHost } = certificates;
    const self = await verdictOf({ reply: usual, certificate: selfSigned }, "smtps");
    expect(self).toContain("its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)");
    const old = await verdictOf({ reply: usual, certificate: expired }, "smtps");
    expect(old).toContain("its certificate has expired or is not valid yet (CERT_HAS_EXPIRED)");
    // This process trusts no authority of a test: that comes before the name.
    const other = await verdictOf({ reply: usual, certificate: ofOtherHost }, "smtps");
    expect(other).toContain("its certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)");
  });

  it("and is spoken to in plain text, or the other way round, says which", async () => {
    const { selfSigned: certificate } = certificates;
    const wanted = await verdictOf({ reply: usual, certificate }, "smtp");
    expect(wanted).toContain("takes only encrypted connections");
    expect(wanted).toContain("smtps://");
    const none = await verdictOf({ reply: usual }, "smtps");
    expect(none).toContain("offers no TLS (ERR_SSL_WRONG_VERSION_NUMBER)");
    const notOffered = await verdictOf({ reply: usual }, "smtp", { SMTP_TLS: "required" });
    expect(notOffered).toContain("offers no TLS");
  });
});
