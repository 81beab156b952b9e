import { describe, expect, it } from "vitest";
import type { Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import {
  digestOf,
  failed,
  givenBack,
  inFlight,
  paid,
  turnedAway,
  unknown,
  viewOf,
  type PayoutView,
} from "../rows.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();

interface Case {
  title: string;
  fault: Fault;
  becomes: PayoutView;
  /** The provider's states of its payouts afterwards. */
  provider: string[];
  counted: "succeeded" | "failed" | "unknown" | "skipped";
  /** Code of the item in the report, where there is one. */
  code?: string;
  verdict: object;
}

const completed = { kind: "completed" };
const payoutsFailed = { kind: "partial", reason: "payouts-failed" };
const outcomeUnknown = { kind: "partial", reason: "outcome-unknown" };
const onPayout = (fault: Omit<Fault, "on">): Fault => ({ on: "POST /payouts", ...fault });

const cases: Case[] = [
  {
    title: "accepted, and paid by the end of the run: completed and booked",
    fault: onPayout({ delayMs: 1 }),
    becomes: paid,
    provider: ["processed"],
    counted: "succeeded",
    verdict: completed,
  },
  {
    title: "paid at once in the provider's answer: completed and booked",
    fault: onPayout({ initialState: "processed" }),
    becomes: paid,
    provider: ["processed"],
    counted: "succeeded",
    verdict: completed,
  },
  {
    title: "accepted and still processing: it stays in flight",
    fault: onPayout({ endState: "processing" }),
    becomes: inFlight,
    provider: ["processing"],
    counted: "succeeded",
    verdict: completed,
  },
  ...(["pending", "queued", "scheduled"] as const).map((initialState): Case => ({
    title: `accepted as ${initialState}: it stays in flight`,
    fault: onPayout({ initialState }),
    becomes: inFlight,
    provider: [initialState],
    counted: "succeeded",
    verdict: completed,
  })),
  ...(["rejected", "cancelled"] as const).map((initialState): Case => ({
    title: `answered as ${initialState}: failed for certain`,
    fault: onPayout({ initialState }),
    becomes: failed(`FAILED ${initialState}`),
    provider: [initialState],
    counted: "failed",
    code: initialState,
    verdict: payoutsFailed,
  })),
  {
    title: "answered as failed: failed with the bank's reason",
    fault: onPayout({ initialState: "failed", endReason: "bank_account_closed" }),
    becomes: failed("FAILED bank_account_closed"),
    provider: ["failed"],
    counted: "failed",
    code: "bank_account_closed",
    verdict: payoutsFailed,
  },
  {
    title: "accepted and failed by the end of the run: failed, its earnings released",
    fault: onPayout({ endState: "failed", endReason: "beneficiary_bank_offline" }),
    becomes: failed("FAILED beneficiary_bank_offline"),
    provider: ["failed"],
    counted: "failed",
    code: "beneficiary_bank_offline",
    verdict: payoutsFailed,
  },
  {
    title: "accepted and reversed by the end of the run: failed, its earnings released",
    fault: onPayout({ endState: "reversed", endReason: "bank_account_frozen" }),
    becomes: failed("FAILED bank_account_frozen"),
    provider: ["reversed"],
    counted: "failed",
    code: "bank_account_frozen",
    verdict: payoutsFailed,
  },
  {
    title: "refused: failed with the provider's reason",
    fault: onPayout({ status: 400, error: { reason: "imps_not_allowed" } }),
    becomes: failed("REFUSED imps_not_allowed"),
    provider: [],
    counted: "failed",
    code: "imps_not_allowed",
    verdict: payoutsFailed,
  },
  {
    title: "refused at the contact: failed without an attempt",
    fault: { on: "POST /contacts", status: 400, error: { reason: "contact_invalid" } },
    becomes: { ...failed(""), attempts: [] },
    provider: [],
    counted: "failed",
    code: "contact_invalid",
    verdict: payoutsFailed,
  },
  {
    title: "refused at the fund account: failed without an attempt",
    fault: { on: "POST /fund_accounts", status: 400, error: { reason: "bank_account_invalid" } },
    becomes: { ...failed(""), attempts: [] },
    provider: [],
    counted: "failed",
    code: "bank_account_invalid",
    verdict: payoutsFailed,
  },
  {
    title: "no answer, and not accepted: unknown",
    fault: onPayout({ hang: true }),
    becomes: unknown("timeout"),
    provider: [],
    counted: "unknown",
    code: "timeout",
    verdict: outcomeUnknown,
  },
  {
    title: "no answer, though accepted: unknown",
    fault: onPayout({ hang: true, accept: true }),
    becomes: unknown("timeout"),
    provider: ["processed"],
    counted: "unknown",
    code: "timeout",
    verdict: outcomeUnknown,
  },
  {
    title: "503, and not accepted: unknown",
    fault: onPayout({ status: 503 }),
    becomes: unknown("server-error"),
    provider: [],
    counted: "unknown",
    code: "server-error",
    verdict: outcomeUnknown,
  },
  {
    title: "502, though accepted: unknown",
    fault: onPayout({ status: 502, accept: true }),
    becomes: unknown("server-error"),
    provider: ["processed"],
    counted: "unknown",
    code: "server-error",
    verdict: outcomeUnknown,
  },
  {
    title: "the connection closes before acceptance: unknown",
    fault: onPayout({ dropBefore: true }),
    becomes: unknown("connection-lost"),
    provider: [],
    counted: "unknown",
    code: "connection-lost",
    verdict: outcomeUnknown,
  },
  {
    title: "the connection closes after acceptance: unknown",
    fault: onPayout({ dropAfter: true }),
    becomes: unknown("connection-lost"),
    provider: ["processed"],
    counted: "unknown",
    code: "connection-lost",
    verdict: outcomeUnknown,
  },
  {
    title: "half an answer: unknown",
    fault: onPayout({ malformed: true }),
    becomes: unknown("unreadable-answer"),
    provider: ["processed"],
    counted: "unknown",
    code: "unreadable-answer",
    verdict: outcomeUnknown,
  },
  {
    title: "409: unknown, since the key may have been used",
    fault: onPayout({ status: 409 }),
    becomes: unknown("conflict"),
    provider: [],
    counted: "unknown",
    code: "conflict",
    verdict: outcomeUnknown,
  },
  {
    title: "401: approved again, and the run stops",
    fault: onPayout({ status: 401 }),
    becomes: turnedAway("credentials"),
    provider: [],
    counted: "skipped",
    code: "credentials",
    verdict: { kind: "failed", code: "credentials" },
  },
  {
    title: "403: approved again, and the run stops",
    fault: onPayout({ status: 403 }),
    becomes: turnedAway("not-allow-listed"),
    provider: [],
    counted: "skipped",
    code: "not-allow-listed",
    verdict: { kind: "failed", code: "not-allow-listed" },
  },
  {
    title: "too little balance: approved again, and the run stops",
    fault: onPayout({ lowBalance: true }),
    becomes: turnedAway("insufficient-balance"),
    provider: [],
    counted: "skipped",
    code: "insufficient-balance",
    verdict: { kind: "failed", code: "insufficient-balance" },
  },
  {
    title: "429 for ever: approved again, and the run stops",
    fault: everyPayout({ status: 429 }),
    becomes: turnedAway("rate-limited"),
    provider: [],
    counted: "skipped",
    code: "rate-limited",
    verdict: { kind: "failed", code: "rate-limited" },
  },
];

describe("one answer of the provider", () => {
  it.each(cases)("$title", async ({ fault, becomes, provider, counted, code, verdict }) => {
    const payout = await world.payout();
    world.sandbox.addFaults(fault);

    const result = await world.run();

    expect(result.verdict).toMatchObject(verdict);
    expect(await viewOf(world.database, payout.id)).toEqual(becomes);
    expect(await statesAtProvider()).toEqual(provider);
    const none = { succeeded: 0, failed: 0, unknown: 0, skipped: 0, completed: 0 };
    expect(result.report).toMatchObject({
      ...none,
      found: 1,
      processed: counted === "skipped" ? 0 : 1,
      [counted]: 1,
      completed: becomes.status === "COMPLETED" ? 1 : 0,
      grossPaise: counted === "succeeded" ? payout.amountPaise : 0n,
      netPaise: counted === "succeeded" ? payout.amountPaise : 0n,
      taxBasePaise: counted === "succeeded" ? payout.grossPaise : 0n,
      unknownNetPaise: counted === "unknown" ? payout.amountPaise : 0n,
    });
    expect(result.report.items.map((item) => [item.payoutId, item.outcome, item.code])).toEqual(
      code === undefined ? [] : [[payout.id, counted, code]],
    );
  });

  it("of unknown outcome is not sent again by the next run, which says that it is in doubt", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults(onPayout({ dropAfter: true }));
    await world.run();
    const before = await digestOf(world.database);

    const { verdict, report } = await world.run();

    expect(verdict.kind).toBe("completed");
    expect(report).toMatchObject({ found: 0, processed: 0, inDoubtBefore: 1 });
    expect(world.callsTo("POST /payouts")).toBe(1);
    expect(await digestOf(world.database)).toEqual(before);
    expect((await viewOf(world.database, payout.id)).status).toBe("PROCESSING");
  });

  it("429 and then a success: the same key and the same bytes, one attempt", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults(onPayout({ status: 429, times: 2 }));

    const { report } = await world.run();

    expect(report).toMatchObject({ succeeded: 1, completed: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
    const sent = world.sandbox
      .calls()
      .filter(({ method, path }) => method === "POST" && path === "/payouts");
    expect(sent.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect(new Set(sent.map((call) => call.idempotency_key)).size).toBe(1);
    expect(new Set(sent.map((call) => call.body_sha256)).size).toBe(1);
  });

  it("turned away and paid by a later run: a second attempt under a key of its own", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults(onPayout({ lowBalance: true }));
    await world.run();

    const { report } = await world.run();

    expect(report).toMatchObject({ succeeded: 1, completed: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual({
      ...paid,
      attempts: ["REFUSED insufficient-balance", "PROCESSED"],
      deductions: ["FINAL", "reversed", "FINAL"],
    });
    const keys = await world.database.query<{ key: string; reference: string }>(
      "SELECT idempotency_key AS key, reference_id AS reference FROM payout_attempts ORDER BY attempt_no",
    );
    const id = payout.id;
    expect(keys).toEqual([
      { key: `${id.replaceAll("-", "")}-1`, reference: `${id}-1` },
      { key: `${id.replaceAll("-", "")}-2`, reference: `${id}-2` },
    ]);
  });

  it("at the contact that never comes: approved again, nothing attempted", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults({ on: "POST /contacts", times: -1, status: 503 });

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code: "work-left-behind" });
    expect(report).toMatchObject({ processed: 0, skipped: 1 });
    expect(report.items[0]?.code).toBe("PROVIDER_UNAVAILABLE");
    expect(await viewOf(world.database, payout.id)).toEqual(givenBack);
  });

  it("records when, how and at what price the provider paid", async () => {
    await world.payout();
    await world.run();
    const [attempt] = await world.database.query(
      `SELECT provider_payout_id AS id, provider_status AS status, fees_paise AS fees,
              fees_tax_paise AS tax, utr IS NOT NULL AS utr, http_status AS http, mode,
              settled_at IS NOT NULL AS settled, request_body->>'account_number' AS account
       FROM payout_attempts`,
    );
    expect(attempt).toEqual({
      id: world.sandbox.payouts()[0]?.id,
      status: "processed",
      fees: 590n,
      tax: 90n,
      utr: true,
      http: 200,
      mode: "IMPS",
      settled: true,
      account: "[redacted]",
    });
    const balances = await world.database.query(
      `SELECT code::text AS code, sum(amount_paise)::bigint AS paise
       FROM ledger_entries JOIN ledger_accounts AS account ON account.id = account_id
       GROUP BY code ORDER BY 1`,
    );
    expect(balances).toEqual([
      { code: "BANK", paise: -90_590n },
      { code: "CONSULTANT_PAYABLE", paise: 0n },
      { code: "PLATFORM_CLEARING", paise: 90_000n },
      { code: "PROVIDER_FEES", paise: 500n },
      { code: "PROVIDER_FEES_TAX", paise: 90n },
    ]);
    expect(world.sandbox.account().debitsPaise).toBe(90_590);
  });
});

/** After a look that lets what is due settle. */
async function statesAtProvider(): Promise<string[]> {
  const { env } = world.sandbox;
  const query = `account_number=${env.RAZORPAYX_ACCOUNT_NUMBER}`;
  const credentials = Buffer.from(`${env.RAZORPAYX_KEY_ID}:${env.RAZORPAYX_KEY_SECRET}`);
  await fetch(`${env.RAZORPAY_BASE_URL}/payouts?${query}`, {
    headers: { Authorization: `Basic ${credentials.toString("base64")}` },
    signal: AbortSignal.timeout(5000),
  });
  return world.sandbox.payouts().map(({ status }) => status);
}

describe("a run after one that left something open", () => {
  it("is completed, and says what is still in processing", async () => {
    await seedApprovedPayouts(world.database, { count: 2 });
    world.sandbox.addFaults([onPayout({ endState: "processing" }), onPayout({ dropAfter: true })]);
    await world.run();
    const { verdict, report } = await world.run();
    expect(report).toMatchObject({ found: 0, inDoubtBefore: 1, unfinishedBefore: 1 });
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringMatching(
        /^2 payouts of earlier runs .* 1 with an unknown outcome/,
      ) as string,
    });
  });
});
