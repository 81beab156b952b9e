import { expect, it } from "vitest";
import {
  approvePayout,
  listPayouts,
  placeHold,
  rejectPayout,
  retryPayout,
  setOrganizationPayee,
  showPayout,
} from "../../../../lib/payouts/operate/index.ts";
import { createPayoutCycle, type PayoutCycle } from "../../../support/payout-cycle.ts";

const operator = { by: "Asha", reason: "signed the contract" };

/** A payee of an organization with an earning of ₹850.00 net, and a consultant like it. */
async function given(): Promise<{ cycle: PayoutCycle; payee: string; own: string }> {
  const cycle = await createPayoutCycle();
  const payee = await cycle.consultant("C-1");
  const own = await cycle.consultant("C-2");
  for (const consultant of [payee, own]) await cycle.earning(consultant);
  const change = await setOrganizationPayee(cycle.client(), {
    consultant: "C-1",
    organizationRef: "O-1",
    name: "Example College",
    operator,
  });
  expect(change).toMatchObject({ done: true, ownPayouts: 0 });
  return { cycle, payee, own };
}

async function payoutOf(cycle: PayoutCycle, consultant: string): Promise<string> {
  const [row] = await cycle.query<{ id: string }>(
    "SELECT id FROM payouts WHERE consultant_id = $1 ORDER BY created_at DESC LIMIT 1",
    [consultant],
  );
  return row?.id ?? "";
}

it("a batch makes it PENDING whatever the amount, counted apart from what waits for a person", async () => {
  const { cycle, payee } = await given();
  const large = await cycle.consultant("C-3");
  await cycle.earning(large, { gross: 900_000n, fee: 1n });
  await setOrganizationPayee(cycle.client(), {
    consultant: large,
    organizationRef: "O-3",
    name: "Example School",
    operator,
  });
  const count = { created: 0, planned: 3, approved: 1, pending: 0, organizations: 2 };
  const planned = await cycle.batch({ dryRun: true, db: cycle.client({ readOnly: true }) });
  expect(planned.report).toMatchObject(count);

  const { report } = await cycle.batch();

  expect(report).toMatchObject({
    ...count,
    created: 3,
    planned: 0,
    approvedPaise: 85_000n,
    pendingPaise: 0n,
    organizationsPaise: 85_000n + 899_999n,
    amountPaise: 85_000n + 85_000n + 899_999n,
  });
  expect(
    await cycle.query(
      `SELECT consultant.external_ref AS payee, organization.external_ref AS organization,
              payouts.status::text AS status, approved_at IS NULL AS unapproved
       FROM payouts JOIN consultants AS consultant ON consultant.id = consultant_id
       LEFT JOIN organizations AS organization ON organization.id = organization_id ORDER BY 1`,
    ),
  ).toEqual([
    { payee: "C-1", organization: "O-1", status: "PENDING", unapproved: true },
    { payee: "C-2", organization: null, status: "APPROVED", unapproved: false },
    { payee: "C-3", organization: "O-3", status: "PENDING", unapproved: true },
  ]);
  expect(
    await cycle.query("SELECT action, reason FROM audit_log WHERE subject_id = $1", [
      await payoutOf(cycle, payee),
    ]),
  ).toEqual([{ action: "created-pending", reason: "paid without approval: organization" }]);
  expect(await cycle.breaches()).toEqual([]);
});

it("a batch refuses another currency by row", async () => {
  const { cycle, payee } = await given();
  await cycle.earning(payee, { currency: "USD" });
  const { report } = await cycle.batch();
  expect(report).toMatchObject({ created: 2, organizations: 1, refused: 1 });
  expect(report.items).toMatchObject([{ consultantId: payee, code: "CURRENCY_NOT_SUPPORTED" }]);
});

it("a payee that becomes an organization's while the batch is being made gets no consultant's payout", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);
  let isSet = false;
  const { report } = await cycle.batch({
    lease: {
      fence: null,
      // Between the decision and the link; the lease's other side is not asked for anything.
      assertTrusted: () => {
        isSet = true;
      },
    },
    db: new Proxy(cycle.client(), {
      get: (db, name) => {
        if (name !== "transaction") return Reflect.get(db, name) as unknown;
        return async (...args: Parameters<typeof db.transaction>) => {
          if (isSet) {
            await setOrganizationPayee(cycle.client(), {
              consultant,
              organizationRef: "O-1",
              name: "Example College",
              operator,
            });
          }
          return db.transaction(...args);
        };
      },
    }),
  });
  expect(report).toMatchObject({ created: 0, changed: 1 });
  expect((await cycle.batch()).report).toMatchObject({ created: 1, organizations: 1 });
});

it("is not approved, is rejected from PENDING, and is named in list and show", async () => {
  const { cycle, payee, own } = await given();
  await cycle.batch();
  const db = cycle.client();
  const payoutId = await payoutOf(cycle, payee);

  expect(await approvePayout(db, { payoutId, operator })).toMatchObject({
    done: false,
    refusals: [{ code: "NEEDS_NO_APPROVAL" }],
  });
  expect(await showPayout(db, payoutId)).toMatchObject({ organizationRef: "O-1" });
  const { payouts } = await listPayouts(db, {
    status: undefined,
    consultantId: undefined,
    limit: 9,
  });
  const named = payouts.map(({ consultantRef, organizationRef }) => [
    consultantRef,
    organizationRef,
  ]);
  expect(named.sort()).toEqual([
    ["C-1", "O-1"],
    ["C-2", null],
  ]);
  expect(own).toBeDefined();
  const hold = await placeHold(db, { consultant: "C-1", kind: "manual", operator });
  expect(hold).toMatchObject({ done: true, reach: { due: 1 } });
  expect(await rejectPayout(db, { payoutId, operator })).toMatchObject({ done: true });
  expect((await cycle.batch()).report).toMatchObject({ created: 0, onHold: 1 });
  expect(await cycle.breaches()).toEqual([]);
});

it("is tried again by way of PENDING", async () => {
  const { cycle, payee } = await given();
  await cycle.batch();
  const payoutId = await payoutOf(cycle, payee);
  await cycle.query(
    `UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = now(),
            tax_paise = 0, net_paise = amount_paise WHERE id = $1`,
    [payoutId],
  );
  await cycle.query("UPDATE payouts SET status = 'FAILED', tries = 1 WHERE id = $1", [payoutId]);
  await cycle.query(
    `UPDATE earnings SET status = 'READY' WHERE id IN
       (SELECT earning_id FROM payout_items WHERE payout_id = $1)`,
    [payoutId],
  );
  await cycle.query("UPDATE payout_items SET released_at = now() WHERE payout_id = $1", [payoutId]);

  expect(await retryPayout(cycle.client(), { payoutId, operator })).toMatchObject({ done: true });

  const [row] = await cycle.query(
    "SELECT status::text AS status, approved_at, claimed_by, tries FROM payouts WHERE id = $1",
    [payoutId],
  );
  expect(row).toEqual({ status: "PENDING", approved_at: null, claimed_by: null, tries: 1 });
  expect(await cycle.breaches()).toEqual([]);
});

it("a payee is set once, for one organization, by one of several people, and audited", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.consultant("C-2");
  await cycle.earning(consultant);
  await cycle.batch();
  const set = (name: string, organizationRef: string) =>
    setOrganizationPayee(cycle.client(), {
      consultant: name,
      organizationRef,
      name: "Example College",
      operator,
    });

  const results = await Promise.all([set("C-1", "O-1"), set("C-1", "O-2"), set("C-1", "O-1")]);

  const done = results.filter((result) => result.done);
  expect(done).toMatchObject([{ ownPayouts: 1, consultant: { id: consultant } }]);
  const [organization] = await cycle.query("SELECT id, external_ref, payee_id FROM organizations");
  expect(await cycle.query("SELECT 1 FROM organizations")).toHaveLength(1);
  expect(organization).toMatchObject({ payee_id: consultant });
  const taken = organization?.["external_ref"] as string;
  expect(await set("C-2", taken)).toMatchObject({ refusal: { code: "HAS_PAYEE_ALREADY" } });
  expect(await set("C-1", "O-9")).toMatchObject({ refusal: { code: "IS_PAYEE_ALREADY" } });
  expect(await set("C-9", "O-9")).toMatchObject({ refusal: { code: "UNKNOWN_CONSULTANT" } });
  expect(
    await cycle.query(
      "SELECT actor, action, subject_id, reason FROM audit_log WHERE category = 'organization'",
    ),
  ).toEqual([
    {
      actor: "Asha",
      action: "payee-set",
      subject_id: organization?.["id"] as string,
      reason: "signed the contract",
    },
  ]);
});
