import { describe, expect, it } from "vitest";
import type { Behaviour } from "../../../scripts/sandbox/mail/index.ts";
import { openDatabase } from "../../../lib/db/client.ts";
import { minutes, systemClock, type Clock } from "../../../lib/support/clock.ts";
import { claimNext, countDue, settleSent } from "../../../lib/notifications/outbox.ts";
import {
  letHoursPass,
  mailRows,
  messageId,
  openMailWorld,
  runDelivery,
  seedMail,
  seedMails,
  takenById,
  type MailWorld,
} from "../../support/mail.ts";

/** Each mail was taken exactly once, and the sender knows it. */
function expectEachOnce({ sandbox }: MailWorld, ids: readonly string[]): void {
  expect(takenById({ sandbox })).toEqual(new Map(ids.map((id) => [messageId(id), "A"])));
}

describe("a mail that is due", () => {
  it("is sent to its reader's present address, once", async () => {
    const world = await openMailWorld();
    const { database, sandbox } = world;
    const id = await seedMail(database, { email: "asha.now@buyers.example", name: "Asha" });

    const first = await runDelivery(world);
    const second = await runDelivery(world);

    expect(first).toMatchObject({ verdict: { kind: "completed" }, report: { due: 1, sent: 1 } });
    expect(second).toMatchObject({ verdict: { kind: "completed" }, report: { due: 0, sent: 0 } });
    expectEachOnce(world, [id]);
    expect(sandbox.mails()[0]).toMatchObject({
      recipient: "asha.now@buyers.example",
      to: '"Asha" <asha.now@buyers.example>',
      from: '"The marketplace" <bookings@marketplace.example>',
      subject: "A seat is free: Yoga for beginners",
    });
    expect(sandbox.mails()[0]?.text).toContain("until 25 November 2026, 21:07 IST");
    expect(sandbox.mails()[0]?.html).toContain('href="https://marketplace.example/plans/yoga"');
    expect(await mailRows(database)).toMatchObject([
      { status: "SENT", tries: 0, claimed: false, last_error: null },
    ]);
  });

  it("goes out with all others over one connection", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 25);
    expect(await runDelivery(world)).toMatchObject({ report: { due: 25, sent: 25, left: 0 } });
    expectEachOnce(world, ids);
    expect(world.sandbox.reached("connect")).toBe(1);
    expect(world.sandbox.mails().map((mail) => mail.messageId)).toEqual(ids.map(messageId));
  });

  it("is not sent when its time has passed or its reader is no longer active", async () => {
    const world = await openMailWorld();
    await seedMail(world.database, { deliverMinutes: -1 });
    await seedMail(world.database, { active: false });
    const good = await seedMail(world.database, { deliverMinutes: 5 });
    expect(await runDelivery(world)).toMatchObject({
      verdict: { kind: "completed" },
      report: { due: 3, sent: 1, lapsed: 2 },
    });
    expectEachOnce(world, [good]);
    expect((await mailRows(world.database)).map(({ status }) => status)).toEqual([
      "LAPSED",
      "LAPSED",
      "SENT",
    ]);
  });

  it("is not sent before it is due, and no more are sent than the limit says", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 3);
    await world.database.query(
      "UPDATE outbox_mails SET due_at = now() + interval '1 minute' WHERE id = $1",
      [ids[0]],
    );
    expect(await runDelivery({ ...world, limit: 1 })).toMatchObject({
      report: { due: 2, sent: 1, left: 1 },
    });
    expectEachOnce(world, [ids[1] ?? ""]);
  });
});

describe("a server that does not take a mail", () => {
  it.each<[string, Behaviour, { code: string; permanent?: boolean }]>([
    ["refuses the reader for now", refuse("recipient", 450), { code: "mail-deferred 450" }],
    ["refuses the text for now", refuse("answer", 451), { code: "mail-deferred 451" }],
    ["drops before the text", { at: "recipient", do: "drop" }, { code: "mail-connection-lost" }],
    ["hangs before the text", { at: "recipient", do: "hang" }, { code: "mail-connection-lost" }],
    ["drops after the text", { at: "answer", do: "drop" }, { code: "mail-answer-lost" }],
    ["hangs after the text", { at: "answer", do: "hang" }, { code: "mail-answer-lost" }],
    [
      "refuses the reader by policy",
      { at: "recipient", do: { refuse: 550, saying: "5.7.1 relaying denied" } },
      { code: "mail-against-policy 550" },
    ],
    [
      "refuses the reader for good",
      refuse("recipient", 550),
      { code: "mail-recipient-refused 550", permanent: true },
    ],
    [
      "refuses the text for good",
      refuse("answer", 554),
      { code: "mail-refused 554", permanent: true },
    ],
  ])("because it %s costs no other mail anything", async (_what, behaviour, expected) => {
    const world = await openMailWorld();
    const { database, sandbox } = world;
    const [bad = "", ...others] = await seedMails(database, 3);
    sandbox.behave(behaviour);

    const { verdict, report } = await runDelivery(world);

    expect(Object.entries(report.reasons)).toEqual([[expect.stringContaining(expected.code), 1]]);
    expectEachOnce(world, others);
    const row = (await mailRows(database)).find(({ id }) => id === bad);
    expect(row?.last_error).toContain(expected.code);
    expect(row).toMatchObject({ claimed: false, tries: 1 });
    if (expected.permanent) {
      expect(verdict).toMatchObject({ kind: "partial", reason: "mail-given-up" });
      expect(report).toMatchObject({ due: 3, sent: 2, gaveUp: 1, retriedLater: 0 });
      expect(report.items).toMatchObject([{ mailId: bad, tries: 1, code: expected.code }]);
      expect(row).toMatchObject({ status: "GAVE_UP" });
      return;
    }
    expect(verdict).toEqual({
      kind: "completed",
      warning: expect.stringContaining("1 of 3 mails were not taken") as string,
    });
    expect(report).toMatchObject({ due: 3, sent: 2, retriedLater: 1, gaveUp: 0 });
    expect(row).toMatchObject({ status: "QUEUED", due_in: 1 });
    await letHoursPass(database);
    expect(await runDelivery(world)).toMatchObject({ report: { due: 1, sent: 1 } });
    expectEachOnce(world, [...others, bad]);
  });

  it("is tried again after a wait that doubles up to four hours, and given up at the limit", async () => {
    const world = await openMailWorld();
    const { database, sandbox } = world;
    await seedMail(database);
    sandbox.behave({ ...refuse("recipient", 451), times: Infinity });
    const env = { MAIL_MAX_TRIES: "11" };
    const waits: number[] = [];
    for (let tried = 1; tried <= 10; tried += 1) {
      expect(await runDelivery({ ...world, env })).toMatchObject({
        verdict: { kind: "partial", reason: "mail-not-taken" },
        report: { due: 1, sent: 0, retriedLater: 1 },
      });
      waits.push((await mailRows(database))[0]?.due_in ?? 0);
      await letHoursPass(database);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
    expect(await runDelivery({ ...world, env })).toMatchObject({
      verdict: { kind: "partial", reason: "mail-given-up" },
      report: { due: 1, gaveUp: 1, items: [{ tries: 11, code: "mail-deferred 451" }] },
    });
    expect(await mailRows(database)).toMatchObject([{ status: "GAVE_UP", tries: 11 }]);
    expect(await runDelivery(world)).toMatchObject({ report: { due: 0 } });
  });

  it("because of greylisting takes it at a later try", async () => {
    const world = await openMailWorld();
    const id = await seedMail(world.database);
    world.sandbox.behave({ at: "recipient", do: "greylist", times: Infinity });
    expect((await runDelivery(world)).report).toMatchObject({ sent: 0, retriedLater: 1 });
    await letHoursPass(world.database);
    expect((await runDelivery(world)).report).toMatchObject({ sent: 1 });
    expectEachOnce(world, [id]);
  });

  it("though its own mailer throws is no server at all: nothing counts as sent", async () => {
    const world = await openMailWorld();
    await seedMails(world.database, 2);
    const mailer = {
      sendAtMostMs: 1000,
      send: () => Promise.reject(new Error("no mail to asha@buyers.example")),
      close: () => undefined,
    };
    expect(await runDelivery({ ...world, mailer })).toMatchObject({
      verdict: { kind: "partial", reason: "mail-not-taken" },
      report: { sent: 0, retriedLater: 2, reasons: { "mailer-failed": 2 } },
    });
    expect((await mailRows(world.database)).map((row) => row.last_error)).toEqual([
      "mailer-failed",
      "mailer-failed",
    ]);
  });

  it("because it can not be rendered is given up at once, and the others go out", async () => {
    const world = await openMailWorld();
    await seedMail(world.database, { template: "unheard-of" });
    await seedMail(world.database, { data: { planTitle: "Yoga" } });
    const good = await seedMail(world.database);
    expect(await runDelivery(world)).toMatchObject({
      verdict: { kind: "partial", reason: "mail-given-up" },
      report: { sent: 1, gaveUp: 2, reasons: { "mail-not-rendered": 2 } },
    });
    expectEachOnce(world, [good]);
  });
});

describe("a server at fault", () => {
  it.each<[string, Behaviour[], string]>([
    ["refuses to talk", [refuse("connect", 554)], "mail-server-unreachable"],
    ["drops every connection", [{ at: "connect", do: "drop" }], "mail-server-unreachable"],
    ["says nothing", [{ at: "connect", do: "hang" }], "mail-server-unreachable"],
    ["does not take the sender", [refuse("sender", 550)], "mail-sender-refused"],
    ["asks for a login", [refuse("sender", 530)], "mail-login-refused"],
  ])("that %s stops the run, and no mail has lost a try", async (_what, behaviours, code) => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 3);
    world.sandbox.behave(...behaviours);
    const { verdict, report } = await runDelivery(world);
    expect(verdict).toMatchObject({ kind: "failed", code });
    expect(report).toMatchObject({ due: 3, sent: 0, left: 3, retriedLater: 0, gaveUp: 0 });
    for (const row of await mailRows(world.database)) {
      expect(row).toMatchObject({ status: "QUEUED", tries: 0, claimed: false });
    }
    expect((await runDelivery(world)).report).toMatchObject({ sent: 3 });
    expectEachOnce(world, ids);
  });

  it("that is not there stops the run", async () => {
    const world = await openMailWorld();
    await seedMail(world.database);
    await world.sandbox.close();
    expect(await runDelivery(world)).toMatchObject({
      verdict: { kind: "failed", code: "mail-server-unreachable" },
      report: { left: 1 },
    });
    expect(await mailRows(world.database)).toMatchObject([{ tries: 0, status: "QUEUED" }]);
  });

  it("that refuses the login stops the run; with the right one it takes the mail", async () => {
    const world = await openMailWorld({ login: { user: "app@here", password: "p@ss:w%rd" } });
    const id = await seedMail(world.database);
    const wrong = { SMTP_URL: world.sandbox.url.replace("%25rd", "rong") };
    expect(await runDelivery({ ...world, env: wrong })).toMatchObject({
      verdict: { kind: "failed", code: "mail-login-refused" },
      report: { left: 1 },
    });
    expect((await runDelivery(world)).report).toMatchObject({ sent: 1 });
    expectEachOnce(world, [id]);
  });

  it("whose certificate nobody trusts, or that has none where it must, gets no mail", async () => {
    const untrusted = await openMailWorld({ untrustedTls: true });
    const plain = await openMailWorld();
    for (const [world, env] of [
      [untrusted, {}],
      [plain, { SMTP_TLS: "required" }],
    ] as const) {
      await seedMail(world.database);
      expect(await runDelivery({ ...world, env })).toMatchObject({
        verdict: { kind: "failed", code: "mail-tls-failed" },
      });
      expect(world.sandbox.reached("sender")).toBe(0);
      expect(await mailRows(world.database)).toMatchObject([{ tries: 0, status: "QUEUED" }]);
    }
  });

  it("that breaks off five times in a row is asked no more", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 8);
    world.sandbox.behave({ at: "text", do: "drop", times: Infinity });
    expect(await runDelivery(world)).toMatchObject({
      verdict: { kind: "failed", code: "mail-server-unreachable" },
      report: { due: 8, sent: 0, retriedLater: 5, left: 3 },
    });
    world.sandbox.behaveWell();
    await letHoursPass(world.database);
    expect((await runDelivery(world)).report).toMatchObject({ sent: 8 });
    expectEachOnce(world, ids);
  });

  it("that refuses, hangs and drops in turn loses nothing and is sent nothing twice", async () => {
    const world = await openMailWorld();
    const { database, sandbox } = world;
    const ids = await seedMails(database, 40);
    for (const at of ["recipient", "text", "answer"] as const) {
      sandbox.behave(refuse(at, 451), { at, do: "drop" }, refuse(at, 421), { at, do: "hang" });
    }
    sandbox.behave(...passing("connect", 6), { at: "connect", do: "drop" });
    sandbox.behave({ at: "recipient", do: "greylist", times: 3 });

    let sent = 0;
    for (let round = 0; sent < ids.length && round < 10; round += 1) {
      const { report } = await runDelivery(world);
      const { due, skipped, left, retriedLater } = report;
      expect(report.sent + retriedLater + left + skipped).toBe(due);
      sent += report.sent;
      expect(sandbox.mails()).toHaveLength(sent);
      await letHoursPass(database);
    }
    expectEachOnce(world, ids);
    expect((await mailRows(database)).every(({ status }) => status === "SENT")).toBe(true);
  });

  it("that took a mail and could not say so gets it again under the same Message-ID", async () => {
    const world = await openMailWorld();
    const id = await seedMail(world.database);
    world.sandbox.behave({ at: "answer", do: "drop", taken: true });
    const [reason] = Object.keys((await runDelivery(world)).report.reasons);
    expect(reason).toMatch(/^mail-answer-lost/);
    await letHoursPass(world.database);
    expect((await runDelivery(world)).report).toMatchObject({ sent: 1 });
    expect(takenById(world)).toEqual(new Map([[messageId(id), "?A"]]));
  });

  it("that breaks off after the text does not get it again in the same run", async () => {
    const world = await openMailWorld();
    const [first = "", second = ""] = await seedMails(world.database, 2);
    world.sandbox.behave(...passing("answer"), { at: "answer", do: "drop", taken: true });
    expect((await runDelivery(world)).report).toMatchObject({ sent: 1, retriedLater: 1 });
    expect(takenById(world)).toEqual(
      new Map([
        [messageId(first), "A"],
        [messageId(second), "?"],
      ]),
    );
  });

  it("that closed an idle connection gets the next mail over another", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 2);
    world.sandbox.behave(...passing("sender"), { at: "sender", do: "drop" });
    expect((await runDelivery(world)).report).toMatchObject({ sent: 2, retriedLater: 0 });
    expectEachOnce(world, ids);
    expect(world.sandbox.reached("connect")).toBe(2);
  });
});

describe("a claim", () => {
  it("is of one run only, and worth nothing once it has ended", async () => {
    const world = await openMailWorld();
    const [first = "", second = ""] = await seedMails(world.database, 2);
    const db = openDatabase({
      url: world.database.url,
      applicationName: "claims under test",
      readOnly: false,
      connections: 2,
    });
    try {
      const { asOf } = await countDue(db);
      const claims = ["11111111", "22222222", "33333333"].map(
        (start) => `${start}-1111-4111-8111-111111111111`,
      );
      const claim = (claimId = "") => claimNext(db, { claimId, asOf, leaseMs: 60_000 });
      const both = await Promise.all([claim(claims[0]), claim(claims[1])]);
      expect(new Set(both.map((mail) => mail?.id))).toEqual(new Set([first, second]));
      expect(await claim(claims[2])).toBeUndefined();
      expect(await countDue(db)).toMatchObject({ due: 2, held: 2 });

      const mailId = both[0]?.id ?? "";
      await world.database.query(
        "UPDATE outbox_mails SET claimed_until = now() - interval '1 ms' WHERE id = $1",
        [mailId],
      );
      expect((await claim(claims[2]))?.id).toBe(mailId);
      expect(await settleSent(db, { mailId, claimId: claims[0] ?? "" })).toBe(false);
      expect(await settleSent(db, { mailId, claimId: claims[2] ?? "" })).toBe(true);
    } finally {
      await db.close();
    }
  });

  it("that ended while the machine slept is not used: the mail stays due", async () => {
    const world = await openMailWorld();
    await seedMail(world.database);
    let slept = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => (slept += minutes(10)) };
    expect(await runDelivery({ ...world, clock })).toMatchObject({
      verdict: { kind: "failed", code: "work-left-behind" },
      report: { due: 1, sent: 0, left: 1 },
    });
    expect(world.sandbox.reached("connect")).toBe(0);
    expect(await mailRows(world.database)).toMatchObject([
      { status: "QUEUED", tries: 0, claimed: false },
    ]);
  });

  it("outlasts the longest sending", async () => {
    const world = await openMailWorld();
    await seedMail(world.database);
    let release = (): void => undefined;
    const wait = new Promise<void>((resolve) => (release = resolve));
    world.sandbox.behave({ at: "answer", do: { wait } });
    const run = runDelivery({ ...world, env: { SMTP_TIMEOUT_MS: "60000" } });
    await expect.poll(() => world.sandbox.reached("answer")).toBe(1);
    const [claim] = await world.database.query<{ left: number }>(
      "SELECT extract(epoch FROM claimed_until - now())::float8 AS left FROM outbox_mails",
    );
    release();
    await run;
    // Connecting, login and sending: three times the longest wait, and a minute to spare.
    expect(claim?.left).toBeGreaterThan(3 * 60 + 60);
  });

  it("that another run has taken over settles nothing, and counts nothing", async () => {
    const world = await openMailWorld();
    const [id = ""] = await seedMails(world.database, 1);
    let release = (): void => undefined;
    const wait = new Promise<void>((resolve) => (release = resolve));
    world.sandbox.behave({ at: "recipient", do: { wait } }, { at: "answer", do: { refuse: 550 } });
    const run = runDelivery({ ...world, env: { SMTP_TIMEOUT_MS: "60000" } });
    await expect.poll(() => world.sandbox.reached("recipient")).toBe(1);
    await world.database.query(
      "UPDATE outbox_mails SET claimed_by = gen_random_uuid(), claimed_until = now() + interval '1 hour'",
    );
    release();
    expect(await run).toMatchObject({ report: { due: 1, gaveUp: 0, skipped: 1, left: 0 } });
    expect(await mailRows(world.database)).toMatchObject([
      { id, status: "QUEUED", tries: 0, claimed: true },
    ]);
  });

  it("of another run leaves its mail alone, and says so", async () => {
    const world = await openMailWorld();
    await seedMails(world.database, 2);
    await world.database.query(
      `UPDATE outbox_mails SET claimed_by = gen_random_uuid(), claimed_until = now() + interval '1 hour'`,
    );
    const { verdict, report } = await runDelivery(world);
    expect(report).toMatchObject({ due: 2, sent: 0, skipped: 2, left: 0 });
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(verdict).toHaveProperty("warning");
    expect(world.sandbox.mails()).toEqual([]);
  });
});

describe("a run", () => {
  it("whose database fails says what it had done until then", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 2);
    await world.database.query(
      `ALTER TABLE outbox_mails ADD CONSTRAINT no_wait CHECK (tries = 0 OR status <> 'QUEUED')`,
    );
    world.sandbox.behave(...passing("recipient"), { at: "recipient", do: { refuse: 451 } });
    expect(await runDelivery(world)).toMatchObject({
      verdict: { kind: "broken" },
      report: { due: 2, sent: 1, left: 1 },
    });
    expectEachOnce(world, ids.slice(0, 1));
  });

  it("that is told to stop finishes the mail in hand and starts no other", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 3);
    const stop = new AbortController();
    let release = (): void => undefined;
    const wait = new Promise<void>((resolve) => (release = resolve));
    world.sandbox.behave({ at: "answer", do: { wait } });
    const run = runDelivery({ ...world, signal: stop.signal });
    await expect.poll(() => world.sandbox.reached("answer")).toBe(1);
    stop.abort();
    release();
    expect(await run).toMatchObject({
      verdict: { kind: "interrupted" },
      report: { due: 3, sent: 1, left: 2 },
    });
    expectEachOnce(world, ids.slice(0, 1));
  });

  it("that is told to stop while the server hangs gives the mail back as it was", async () => {
    const world = await openMailWorld();
    await seedMail(world.database);
    const stop = new AbortController();
    world.sandbox.behave({ at: "recipient", do: "hang" });
    const run = runDelivery({
      ...world,
      signal: stop.signal,
      env: { SMTP_TIMEOUT_MS: "60000" },
    });
    await expect.poll(() => world.sandbox.reached("recipient")).toBe(1);
    stop.abort();
    expect(await run).toMatchObject({ verdict: { kind: "interrupted" }, report: { left: 1 } });
    expect(await mailRows(world.database)).toMatchObject([
      { status: "QUEUED", tries: 0, claimed: false },
    ]);
  });

  it("that is told to stop when a mail has left and no answer has come counts a try", async () => {
    const world = await openMailWorld();
    await seedMail(world.database);
    const stop = new AbortController();
    world.sandbox.behave({ at: "answer", do: "hang" });
    const run = runDelivery({ ...world, signal: stop.signal, env: { SMTP_TIMEOUT_MS: "60000" } });
    await expect.poll(() => world.sandbox.reached("answer")).toBe(1);
    stop.abort();
    expect(await run).toMatchObject({
      verdict: { kind: "interrupted" },
      report: { retriedLater: 1, left: 0 },
    });
    expect(await mailRows(world.database)).toMatchObject([
      { status: "QUEUED", tries: 1, last_error: "mail-answer-lost stop" },
    ]);
  });

  it("whose database session is lost while a mail is under way sends it once", async () => {
    const world = await openMailWorld();
    const [id = ""] = await seedMails(world.database, 1);
    let release = (): void => undefined;
    const wait = new Promise<void>((resolve) => (release = resolve));
    world.sandbox.behave({ at: "answer", do: { wait } });
    const run = runDelivery(world);
    await expect.poll(() => world.sandbox.reached("answer")).toBe(1);
    await world.database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'delivery under test'",
    );
    release();
    expect(await run).toMatchObject({ report: { sent: 1 } });
    await letHoursPass(world.database);
    await runDelivery(world);
    expectEachOnce(world, [id]);
  });

  it("that is dry says what would be done and does nothing", async () => {
    const world = await openMailWorld();
    const ids = await seedMails(world.database, 3);
    await seedMail(world.database, { active: false });
    await seedMail(world.database, { template: "unheard-of" });
    const before = await mailRows(world.database);
    expect(await runDelivery({ ...world, dryRun: true })).toMatchObject({
      report: { due: 5, planned: 3, lapsed: 1, gaveUp: 1, sent: 0, left: 0 },
    });
    expect(await mailRows(world.database)).toEqual(before);
    expect(world.sandbox.reached("connect")).toBe(0);
    expect((await runDelivery(world)).report).toMatchObject({ sent: 3, lapsed: 1, gaveUp: 1 });
    expectEachOnce(world, ids);
  });
});

function refuse(at: Behaviour["at"], code: number): Behaviour {
  return { at, do: { refuse: code } };
}

/** Lets the first ones through as usual. */
function passing(at: Behaviour["at"], times = 1): Behaviour[] {
  return [{ at, do: { wait: Promise.resolve() }, times }];
}
