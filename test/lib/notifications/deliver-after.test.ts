import { expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../../lib/db/client.ts";
import {
  deliverAfter,
  deliveredAfterOutputs,
  type DeliveredAfter,
  type DeliverAfterPorts,
} from "../../../lib/notifications/index.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import {
  mailRows,
  mailSettings,
  openMailWorld,
  runDelivery,
  seedMails,
  type MailWorld,
} from "../../support/mail.ts";

it("delivers what is due and says so in the job's numbers", async () => {
  const world = await openMailWorld();
  await seedMails(world.database, 3);
  const after = await endOfJob(world);
  expect(after).toEqual({ mailsSent: 3, mailsLeft: 0 });
  expect(deliveredAfterOutputs(after)).toEqual({ mails_sent: 3, mails_left: 0 });
  expect(world.sandbox.mails()).toHaveLength(3);
});

it.each<[string, Partial<DeliverAfterPorts>]>([
  ["without SMTP settings", { settings: { mail: undefined } }],
  ["in a dry run", { dryRun: true }],
  ["once the job is told to stop", { signal: AbortSignal.abort() }],
])("leaves all to deliver-outbox %s", async (_when, ports) => {
  const world = await openMailWorld();
  await seedMails(world.database, 2);
  expect(await endOfJob(world, ports)).toEqual({ mailsSent: 0, mailsLeft: 2 });
  expect(world.sandbox.reached("connect")).toBe(0);
});

it("never fails the job, whatever the mail server does", async () => {
  const world = await openMailWorld();
  await seedMails(world.database, 2);
  world.sandbox.behave({ at: "sender", do: { refuse: 550 } });
  expect(await endOfJob(world)).toEqual({ mailsSent: 0, mailsLeft: 2 });
});

it("leaves it to deliver-outbox to give a mail up, which is red for it", async () => {
  const world = await openMailWorld();
  await seedMails(world.database, 2);
  world.sandbox.behave({ at: "recipient", do: { refuse: 550 } });
  expect(await endOfJob(world)).toEqual({ mailsSent: 1, mailsLeft: 1 });
  expect(await mailRows(world.database)).toMatchObject([
    { status: "QUEUED", tries: 1 },
    { status: "SENT" },
  ]);

  world.sandbox.behave({ at: "recipient", do: { refuse: 550 } });
  const { verdict } = await runDelivery(world);
  expect(verdict).toMatchObject({ kind: "partial", reason: "mail-given-up" });
  expect(await mailRows(world.database)).toMatchObject([{ status: "GAVE_UP" }, { status: "SENT" }]);
});

it("never fails the job, though the database is away", async () => {
  const world = await openMailWorld();
  const away = new URL(world.database.url);
  away.port = "1";
  const db = openDatabase({
    url: away.href,
    applicationName: "nobody",
    readOnly: false,
    connections: 1,
  });
  onTestFinished(() => db.close());
  const after = await endOfJob(world, { db });
  expect(after).toEqual({ mailsSent: 0, mailsLeft: null });
  expect(deliveredAfterOutputs(after)).toEqual({ mails_sent: 0, mails_left: "" });
});

async function endOfJob(
  world: MailWorld,
  ports: Partial<DeliverAfterPorts> = {},
): Promise<DeliveredAfter> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "end of a job under test",
    readOnly: ports.dryRun ?? false,
    connections: 1,
  });
  try {
    return await deliverAfter({
      dryRun: false,
      settings: { mail: mailSettings(world) },
      db,
      clock: systemClock,
      random: () => 0,
      log: silentLog(),
      signal: new AbortController().signal,
      ...ports,
    });
  } finally {
    await db.close();
  }
}
