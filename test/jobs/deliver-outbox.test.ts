import { describe, expect, it } from "vitest";
import { runJob, type JobEnd } from "../support/job-process.ts";
import {
  MAIL_JOB,
  mailJobEnv,
  mailRows,
  messageId,
  openMailWorld,
  seedMail,
  seedMails,
  takenById,
} from "../support/mail.ts";

const READER = { name: "Zubeida Quillfeather", email: "zubeida.quillfeather@buyers.example" };
const LOGIN = { user: "planted-smtp-user@relay.example", password: "planted-smtp-password-7f" };

describe("the job notifications/deliver-outbox", () => {
  it("sends what is due and says so in outputs, summary and run record", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 3);
    await seedMail(world.database, { active: false });

    const end = await runJob({ file: MAIL_JOB, env: mailJobEnv(world) });

    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    expect(end.outputs).toMatchObject({
      outcome: "completed",
      due: "4",
      sent: "3",
      lapsed: "1",
      retried_later: "0",
      gave_up: "0",
      skipped: "0",
      left: "0",
    });
    expect(end.summary).toContain("| Sent | 3 |");
    expect(takenById(world)).toEqual(new Map(ids.map((id) => [messageId(id), "A"])));
    expect(
      await world.database.query("SELECT job, outcome, report->>'sent' AS sent FROM job_runs"),
    ).toEqual([{ job: "notifications/deliver-outbox", outcome: "completed", sent: "3" }]);
  });

  it("shows no address, no name and no secret, whatever the server repeats", async () => {
    const world = await openMailWorld({ login: LOGIN });
    await seedMail(world.database, { ...READER, tries: 7 });
    await seedMail(world.database, READER);
    await seedMail(world.database, READER);
    await seedMail(world.database, { ...READER, data: { planTitle: READER.email } });
    const saying = `5.1.1 <${READER.email}> (${READER.name}) unknown to ${LOGIN.user}`;
    world.sandbox.behave(
      { at: "recipient", do: { refuse: 450 } },
      { at: "recipient", do: { refuse: 550, saying } },
      { at: "answer", do: { refuse: 451, saying } },
    );
    const env = { ...mailJobEnv(world), GITHUB_ACTIONS: "true" };

    const end = await runJob({ file: MAIL_JOB, env, args: ["--log-level", "trace"] });

    expect(end.outputs, end.stderr).toMatchObject({
      outcome: "partial",
      reason: "mail-given-up",
      due: "4",
      gave_up: "3",
      retried_later: "1",
    });
    expect(end.summary).toContain("mail-recipient-refused 550");
    expectNothingPrivate(end, [
      ...(await everyRow(world.database, "SELECT * FROM job_runs")),
      ...(await everyRow(world.database, "SELECT last_error FROM outbox_mails")),
    ]);
  });

  it("shows no secret when the login is refused, and is red", async () => {
    const world = await openMailWorld({ login: LOGIN });
    await seedMail(world.database, READER);
    const env = mailJobEnv(world);
    const SMTP_URL = world.sandbox.url.replace("password", "wrong-word");
    const end = await runJob({ file: MAIL_JOB, env: { ...env, SMTP_URL } });
    expect(end).toMatchObject({
      exitCode: 1,
      outputs: { outcome: "failed", reason: "mail-login-refused", sent: "0", left: "1" },
    });
    expect(end.stdout).toContain("Check the user and the password in SMTP_URL");
    expectNothingPrivate(end, await everyRow(world.database, "SELECT * FROM job_runs"));
  });

  it("without its settings says what is missing, and starts nothing", async () => {
    const world = await openMailWorld();
    const env = { ...mailJobEnv(world), SMTP_URL: "", MAIL_FROM: "" };
    const end = await runJob({ file: MAIL_JOB, env });
    expect(end.exitCode).toBe(2);
    expect(end.stdout).toMatch(/SMTP_URL: is missing[\s\S]*MAIL_FROM: is missing/);
  });

  it("in a dry run connects to no mail server and writes nothing", async () => {
    const world = await openMailWorld();
    await seedMails(world.database, 2);
    const before = await mailRows(world.database);
    const end = await runJob({ file: MAIL_JOB, env: mailJobEnv(world), args: ["--dry-run"] });
    expect(end, end.stderr).toMatchObject({
      exitCode: 0,
      outputs: { dry_run: "true", due: "2", planned: "2", sent: "0" },
    });
    expect(await mailRows(world.database)).toEqual(before);
    expect(world.sandbox.reached("connect")).toBe(0);
    expect(await world.database.query("SELECT 1 FROM job_runs")).toEqual([]);
  });
});

function expectNothingPrivate(end: JobEnd, rows: readonly string[]): void {
  const shown = [
    end.stdout.replace(/^::add-mask::.*$/gm, ""),
    end.stderr,
    JSON.stringify(end.outputs),
    end.summary,
    ...rows,
  ].join("\n");
  for (const secret of ["zubeida", "quillfeather", "planted-smtp"]) {
    expect(shown.toLowerCase()).not.toContain(secret);
  }
}

async function everyRow(
  database: Parameters<typeof mailRows>[0],
  query: string,
): Promise<string[]> {
  const rows = await database.query<{ row: string }>(
    `SELECT to_jsonb(found)::text AS row FROM (${query}) AS found`,
  );
  return rows.map(({ row }) => row);
}
