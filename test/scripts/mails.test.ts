import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { expect, it, onTestFinished } from "vitest";
import { openDatabase, inTransaction } from "../../lib/db/client.ts";
import {
  enqueueMail,
  enqueueOperatorMail,
  PAYEE_TEMPLATES,
  type MailTemplate,
} from "../../lib/notifications/mail.ts";
import { USER_TEMPLATES } from "../../lib/notifications/shown.ts";
import { SAMPLE_MAILS } from "../../scripts/cli/mails/sample.ts";
import { seedUser } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase } from "../support/database.ts";
import { mailRows, openMailWorld, runDelivery, seedMail, type MailWorld } from "../support/mail.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const TEMPLATES = Object.keys(SAMPLE_MAILS) as MailTemplate[];

it("previews every mail as HTML, text and a file for a mail program", async () => {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-mails-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));

  const preview = await runScript("scripts/cli/mails.ts", { args: ["preview", "--out", folder] });

  expect(preview).toMatchObject({ exitCode: 0, stderr: "" });
  expect(readdirSync(folder).sort()).toEqual(
    TEMPLATES.flatMap((name) => [`${name}.eml`, `${name}.html`, `${name}.txt`]).sort(),
  );
  for (const name of TEMPLATES) {
    expect(preview.stdout).toContain(name);
    const html = readFileSync(join(folder, `${name}.html`), "utf8");
    if ("planTitle" in SAMPLE_MAILS[name]) expect(html).toContain("&lt;script&gt;");
    expect(html).not.toContain("<script");
    const mail = await simpleParser(readFileSync(join(folder, `${name}.eml`)));
    expect(mail.html).toBe(html);
    // A preview can be of a real mail.
    expect(statSync(join(folder, `${name}.eml`)).mode & 0o777).toBe(0o600);
    const shown = SAMPLE_MAILS[name];
    expect(mail.subject).toContain("planTitle" in shown ? shown.planTitle : "ayout");
  }
});

it("every mail that there is goes through the outbox and arrives", async () => {
  const world = await openMailWorld();
  await enqueueAll(world);
  expect(await runDelivery(world)).toMatchObject({
    verdict: { kind: "completed" },
    report: { due: TEMPLATES.length, sent: TEMPLATES.length },
  });
  const { planUrl } = SAMPLE_MAILS["waitlist-expired"];
  const toBuyers = world.sandbox.mails().filter(({ text }) => text.includes(planUrl));
  expect(toBuyers).toHaveLength(USER_TEMPLATES.length - PAYEE_TEMPLATES.length);
  for (const { html } of toBuyers) expect(html).toContain("<a href=");
  const others = world.sandbox.mails().filter((mail) => !toBuyers.includes(mail));
  expect(others.map(({ recipient }) => recipient)).toContain("payouts@example.com");
  expect(others).toHaveLength(PAYEE_TEMPLATES.length + 1);
});

it("lists what waits or was given up, and queues that again, once and audited", async () => {
  const world = await openMailWorld();
  const { database } = world;
  const mails = (...args: string[]): Promise<ScriptResult> =>
    runScript("scripts/cli/mails.ts", { args, env: { DATABASE_URL: database.url, USER: "asha" } });
  const id = await seedMail(database, { email: "zubeida@buyers.example", name: "Zubeida" });
  world.sandbox.behave({ at: "recipient", do: { refuse: 550 } });
  await runDelivery(world);

  const list = await mails("list", "--status", "gave_up");
  expect(list).toMatchObject({ exitCode: 0, stderr: "" });
  expect(list.stdout).toMatch(
    new RegExp(`^Mail .*\n${id} +waitlist-offer +GAVE_UP +1 .* mail-recipient-refused 550\n$`),
  );
  expect(list.stdout).not.toMatch(/zubeida/i);
  expect(JSON.parse((await mails("list", "--json")).stdout)).toMatchObject([{ id, tries: 1 }]);

  const requeue = ["requeue", id, "--reason", "the address was mended"];
  expect(await mails(...requeue)).toMatchObject({
    exitCode: 0,
    stdout: `requeued  ${id}  waitlist-offer\n`,
  });
  expect(await mails(...requeue)).toMatchObject({
    exitCode: 1,
    stdout: `not requeued  ${id}  it is QUEUED; only what was given up can be\n`,
  });
  expect(
    await database.query("SELECT actor, action, subject_type, subject_id, reason FROM audit_log"),
  ).toEqual([
    {
      actor: "asha",
      action: "requeued",
      subject_type: "mail",
      subject_id: id,
      reason: "the address was mended",
    },
  ]);
  expect((await runDelivery(world)).report).toMatchObject({ sent: 1 });
  expect(await mailRows(database)).toMatchObject([{ status: "SENT", tries: 0 }]);
  expect((await mails("list")).stdout).toBe("No mails.\n");
});

it("refuses what it can not know, and changes nothing", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const nobody = "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42";
  for (const [args, exitCode, message] of [
    [["requeue", nobody, "--reason", "x"], 1, `there is no mail ${nobody}`],
    [["requeue", "8c1f", "--reason", "x"], 2, "expected a mail's id"],
    [["requeue", nobody], 2, "--reason"],
    [["list", "--status", "LOST"], 2, "expected one of QUEUED, SENT, GAVE_UP, LAPSED"],
  ] as const) {
    const result = await runScript("scripts/cli/mails.ts", {
      args: [...args],
      env: { DATABASE_URL: database.url, USER: "asha" },
    });
    expect([args, result.exitCode]).toEqual([args, exitCode]);
    expect(result.stderr).toContain(message);
  }
});

async function enqueueAll({ database }: MailWorld): Promise<void> {
  const userId = await seedUser(database);
  const db = openDatabase({
    url: database.url,
    applicationName: "mails under test",
    readOnly: false,
    connections: 1,
  });
  try {
    await inTransaction(db, async (tx) => {
      for (const template of USER_TEMPLATES) {
        const mail = { key: template, userId, template, data: SAMPLE_MAILS[template] };
        expect(await enqueueMail(tx, mail)).toBe(true);
        expect(await enqueueMail(tx, mail)).toBe(false);
      }
      const template = "payouts-in-processing";
      const recipient = "payouts@example.com";
      const mail = { key: template, recipient, template, data: SAMPLE_MAILS[template] } as const;
      expect(await enqueueOperatorMail(tx, mail)).toBe(true);
      expect(await enqueueOperatorMail(tx, mail)).toBe(false);
    });
  } finally {
    await db.close();
  }
}
