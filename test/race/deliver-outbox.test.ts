import { expect, it } from "vitest";
import { runJob, startJob } from "../support/job-process.ts";
import {
  letHoursPass,
  MAIL_JOB,
  mailJobEnv,
  mailRows,
  messageId,
  openMailWorld,
  seedMails,
  takenById,
  type MailWorld,
} from "../support/mail.ts";

const MAILS = 60;
const TIMEOUT_MS = 240_000;

it(
  "two processes at once, without a lock, share the outbox and send each mail once",
  { timeout: TIMEOUT_MS },
  async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, MAILS);
    const gate = openableGate();
    // Both have a mail in hand before either goes on, so that they do work at once.
    world.sandbox.behave({ at: "answer", do: { wait: gate.opened }, times: 2 });
    const env = mailJobEnv(world, { lockStore: "off" });
    const jobs = [startJob({ file: MAIL_JOB, env }), startJob({ file: MAIL_JOB, env })];
    await expect.poll(() => world.sandbox.reached("answer"), { timeout: 60_000 }).toBe(2);
    gate.open();
    const ends = await Promise.all(jobs.map(({ ended }) => ended));

    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expectEachOnce(world, ids);
    const sent = ends.map(({ outputs }) => Number(outputs["sent"]));
    expect(Math.min(...sent)).toBeGreaterThan(0);
    expect((sent[0] ?? 0) + (sent[1] ?? 0)).toBe(MAILS);
    for (const { outputs } of ends) {
      expect(Number(outputs["sent"]) + Number(outputs["skipped"])).toBe(Number(outputs["due"]));
    }
  },
);

it(
  "a process that is killed while the server hangs loses no mail and sends none twice",
  { timeout: TIMEOUT_MS },
  async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 10);
    world.sandbox.behave({ at: "recipient", do: { wait: Promise.resolve() }, times: 4 });
    world.sandbox.behave({ at: "recipient", do: "hang" });
    const env = mailJobEnv(world, { lockStore: "off" });
    const job = startJob({ file: MAIL_JOB, env });
    await expect.poll(() => world.sandbox.reached("recipient"), { timeout: 60_000 }).toBe(5);
    job.kill("SIGKILL");
    expect(await job.ended).toMatchObject({ signal: "SIGKILL" });

    // The claim of the dead run still holds its mail; all others go out.
    const next = await runJob({ file: MAIL_JOB, env });
    expect(next).toMatchObject({ exitCode: 0, outputs: { due: "6", sent: "5", skipped: "1" } });
    await letHoursPass(world.database);
    const last = await runJob({ file: MAIL_JOB, env });
    expect(last.outputs).toMatchObject({ due: "1", sent: "1" });
    expectEachOnce(world, ids);
    expect((await mailRows(world.database)).every(({ status }) => status === "SENT")).toBe(true);
  },
);

it(
  "a process that is killed between the server's word and its own record sends that mail again under the same Message-ID",
  { timeout: TIMEOUT_MS },
  async () => {
    const world = await openMailWorld();
    const [id = ""] = await seedMails(world.database, 1);
    const gate = openableGate();
    world.sandbox.behave({ at: "answer", do: { wait: gate.opened }, taken: true });
    const env = mailJobEnv(world, { lockStore: "off" });
    const job = startJob({ file: MAIL_JOB, env });
    await expect.poll(() => world.sandbox.mails().length, { timeout: 60_000 }).toBe(1);
    job.kill("SIGKILL");
    await job.ended;
    gate.open();
    await letHoursPass(world.database);
    expect((await runJob({ file: MAIL_JOB, env })).outputs).toMatchObject({ sent: "1" });
    expect([...takenById(world).keys()]).toEqual([messageId(id)]);
    expect(world.sandbox.mails()).toHaveLength(2);
  },
);

function expectEachOnce({ sandbox }: MailWorld, ids: readonly string[]): void {
  expect(takenById({ sandbox })).toEqual(new Map(ids.map((id) => [messageId(id), "A"])));
}

function openableGate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
