import {
  buildPayoutRequest,
  chooseMode,
  type ProviderPayout,
  type PayoutProvider,
} from "../../../../lib/provider/index.ts";
import { fiscalYearOf, type Day } from "../../../../lib/support/calendar.ts";
import { assessCredits, defaultTaxPolicy, emptyYear } from "../../../../lib/tds/index.ts";
import type { PlainClient, PlainSession } from "./plain-client.ts";

const PAGE = 100;

interface PlainPorts {
  db: PlainClient;
  gateway: PayoutProvider;
  runId: string;
  /** No more than so many. */
  most: number;
}

/**
 * The same work in the plain way: one payout after the other, one statement of Prisma's after the other,
 * each money step committed before the next, as today's rules ask. Only the usual course: every payout is
 * accepted, and then looked up once. Returns how many were completed.
 */
export async function runPlain(ports: PlainPorts): Promise<number> {
  const { db, most } = ports;
  let completed = 0;
  while (completed < most) {
    const page = await db.payout.findMany({
      where: { status: "APPROVED", organizationId: null, tries: { lt: 3 } },
      orderBy: [{ approvedAt: "asc" }, { id: "asc" }],
      take: Math.min(PAGE, most - completed),
      select: { id: true },
    });
    if (page.length === 0) return completed;
    for (const { id } of page) {
      await payOne(ports, id);
      completed++;
    }
  }
  return completed;
}

async function payOne(ports: PlainPorts, payoutId: string): Promise<void> {
  const { db, gateway } = ports;
  await claim(ports, payoutId);
  const attempt = await prepare(ports, payoutId);
  const { body, idempotencyKey } = attempt;
  const answer = await gateway.createPayout({ body, idempotencyKey, resend: false });
  if (answer.kind !== "accepted") throw new Error(`the provider answered ${answer.kind}`);
  await db.payoutAttempt.update({
    where: { id: attempt.id, state: "PREPARED" },
    data: {
      state: "ACCEPTED",
      providerPayoutId: answer.value.id,
      providerStatus: answer.value.statusText,
      httpStatus: answer.httpStatus,
      responseBody: answer.body ?? {},
    },
  });
  const later = await gateway.fetchPayout(answer.value.id);
  if (later.kind !== "accepted") throw new Error(`the provider answered ${later.kind}`);
  await settle(ports, { payoutId, attemptId: attempt.id, provider: later.value });
}

async function claim({ db, runId }: PlainPorts, payoutId: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const { count } = await tx.payout.updateMany({
      where: { id: payoutId, status: "APPROVED", tries: { lt: 3 } },
      data: { status: "PROCESSING", claimedBy: runId, claimedAt: (await databaseNow(tx))[0].now },
    });
    if (count !== 1) throw new Error("the claim was lost");
    const payout = await tx.payout.findUniqueOrThrow({ where: { id: payoutId } });
    const { consultantId } = payout;
    await tx.$queryRaw`SELECT 1 FROM tax_profiles WHERE consultant_id = ${consultantId}::uuid FOR UPDATE`;
    const profile = await tx.taxProfile.findUniqueOrThrow({ where: { consultantId } });
    const certificates = await tx.lowerDeductionCertificate.findMany({ where: { consultantId } });
    const items = await tx.payoutItem.findMany({
      where: { payoutId, releasedAt: null },
      include: { earning: true },
    });
    const deductions = await tx.taxDeduction.findMany({ where: { consultantId } });
    if (certificates.length + deductions.length > 0) throw new Error("not of the bench's payees");
    const credits = items.map((item) => ({
      key: item.earningId,
      creditedOn: dayOf(item.earning.creditedOn),
      grossPaise: item.grossPaise,
      availablePaise: item.amountPaise,
    }));
    const years = [...new Set(credits.map(({ creditedOn }) => fiscalYearOf(creditedOn)))];
    const { category, resident, panStatus, aadhaar } = profile;
    const assessed = assessCredits(
      {
        profile: { category, resident, panStatus, aadhaar, certificates: [] },
        years: years.map(emptyYear),
        credits,
      },
      defaultTaxPolicy,
    );
    if (assessed.error) throw new Error(assessed.error.message);
    for (const line of assessed.lines) {
      await tx.taxDeduction.create({
        data: {
          consultantId,
          payoutId,
          earningId: line.key,
          fiscalYear: line.fiscalYear,
          creditedOn: new Date(line.rateDate),
          grossPaise: line.grossPaise,
          taxPaise: line.taxPaise,
          rateBps: line.rateBps,
          section: line.section,
          code: line.code,
          reason: line.reason,
          carriedForwardPaise: line.carriedForwardPaise,
        },
      });
    }
    const { taxPaise } = assessed;
    await tx.payout.update({
      where: { id: payoutId },
      data: { taxPaise, netPaise: payout.amountPaise - taxPaise },
    });
  });
}

async function prepare(
  { db, gateway, runId }: PlainPorts,
  payoutId: string,
): Promise<{ id: string; idempotencyKey: string; body: string }> {
  const payout = await db.payout.findUniqueOrThrow({
    where: { id: payoutId, status: "PROCESSING", claimedBy: runId },
  });
  const account = await db.payoutAccount.findFirstOrThrow({
    where: { consultantId: payout.consultantId, active: true },
  });
  const attemptNo = 1 + (await db.payoutAttempt.count({ where: { payoutId } }));
  const amountPaise = payout.netPaise ?? 0n;
  const choice = chooseMode({ kind: account.kind, amountPaise });
  if (!choice.ok) throw new Error(choice.code);
  const referenceId = `${payoutId}-${attemptNo}`;
  const request = buildPayoutRequest({
    accountNumber: gateway.accountNumber,
    fundAccountId: account.providerFundAccountId ?? "",
    amountPaise,
    mode: choice.mode,
    referenceId,
    narration: "Consultant payout",
  });
  const { id, idempotencyKey } = await db.payoutAttempt.create({
    data: {
      payoutId,
      attemptNo,
      payoutAccountId: account.id,
      runId,
      idempotencyKey: `${payoutId.replaceAll("-", "")}-${attemptNo}`,
      referenceId,
      mode: choice.mode,
      amountPaise,
      requestHash: request.hash,
      requestBody: request.maskedBody ?? {},
    },
  });
  return { id, idempotencyKey, body: request.body };
}

async function settle(
  { db, runId }: PlainPorts,
  {
    payoutId,
    attemptId,
    provider,
  }: { payoutId: string; attemptId: string; provider: ProviderPayout },
): Promise<void> {
  if (provider.status !== "processed") throw new Error(`the payout is ${provider.statusText}`);
  await db.$transaction(async (tx) => {
    const [{ now }] = await databaseNow(tx);
    await tx.payoutAttempt.update({
      where: { id: attemptId, state: "ACCEPTED" },
      data: {
        state: "PROCESSED",
        providerStatus: provider.statusText,
        feesPaise: provider.feesPaise,
        feesTaxPaise: provider.feesTaxPaise,
        utr: provider.utr,
        settledAt: now,
      },
    });
    const payout = await tx.payout.update({
      where: { id: payoutId, status: "PROCESSING", claimedBy: runId },
      data: { status: "COMPLETED", completedAt: now },
    });
    const items = await tx.payoutItem.findMany({ where: { payoutId, releasedAt: null } });
    await tx.earning.updateMany({
      where: { id: { in: items.map(({ earningId }) => earningId) }, status: "LINKED" },
      data: { status: "PAID" },
    });
    await tx.taxDeduction.updateMany({ where: { payoutId }, data: { status: "FINAL" } });
    const { consultantId, amountPaise, netPaise, taxPaise } = payout;
    const fees = provider.feesPaise ?? 0n;
    const feesTax = provider.feesTaxPaise ?? 0n;
    const entries = [
      { code: "CONSULTANT_PAYABLE" as const, consultantId, amountPaise },
      { code: "PROVIDER_FEES" as const, amountPaise: fees - feesTax },
      { code: "PROVIDER_FEES_TAX" as const, amountPaise: feesTax },
      { code: "BANK" as const, amountPaise: -((netPaise ?? 0n) + fees) },
      { code: "TAX_PAYABLE" as const, amountPaise: -(taxPaise ?? 0n) },
    ].filter((entry) => entry.amountPaise !== 0n);
    const posted = await tx.ledgerTransaction.create({
      data: {
        key: `payout-completed:${payoutId}`,
        kind: "payout-completed",
        payoutId,
        postedAt: now,
      },
    });
    const rows: { transactionId: string; accountId: string; amountPaise: bigint }[] = [];
    for (const { code, consultantId: owner = null, amountPaise: paise } of entries) {
      const account =
        (await tx.ledgerAccount.findFirst({ where: { code, consultantId: owner } })) ??
        (await tx.ledgerAccount.create({ data: { code, consultantId: owner } }));
      rows.push({ transactionId: posted.id, accountId: account.id, amountPaise: paise });
    }
    // The database takes them only all at once.
    await tx.ledgerEntry.createMany({ data: rows });
  });
}

function databaseNow(tx: PlainSession): Promise<[{ now: Date }]> {
  return tx.$queryRaw<[{ now: Date }]>`SELECT now()::timestamptz(3) AS now`;
}

function dayOf(date: Date): Day {
  return date.toISOString().slice(0, 10);
}
