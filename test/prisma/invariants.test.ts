import { readFile } from "node:fs/promises";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep } from "../../lib/support/clock.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { seedPayee, seedPayees, type SeededPayee } from "../support/payout-world.ts";

let database: TestDatabase;
let client: pg.Client;
let payee: SeededPayee;
let other: SeededPayee;
const seenToRefuse = new Set<string>();

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  [payee, other] = (await seedPayees(database, [{}, {}])) as [SeededPayee, SeededPayee];
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

type Statement = string | readonly [sql: string, ...parameters: unknown[]];

/**
 * The name of the constraint that refuses the last of these statements, and `nothing` if none does.
 * Whatever they did is rolled back. Deferred constraints are asked as a commit would.
 */
async function refusedBy(...statements: readonly Statement[]): Promise<string> {
  await client.query("BEGIN");
  try {
    for (const statement of statements.slice(0, -1)) await run(statement);
    const last = statements.at(-1);
    if (last === undefined) throw new Error("no statement");
    try {
      await run(last);
      await client.query("SET CONSTRAINTS ALL IMMEDIATE");
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.constraint === undefined) throw error;
      expect(["23514", "23505"]).toContain(error.code);
      seenToRefuse.add(error.constraint);
      return error.constraint;
    }
    return "nothing";
  } finally {
    await client.query("ROLLBACK");
  }
}

function run(statement: Statement): Promise<unknown> {
  const [sql, ...parameters] = typeof statement === "string" ? [statement] : statement;
  return client.query(sql, parameters);
}

const RUN = "00000000-0000-4000-8000-000000000001";
const OTHER_RUN = "00000000-0000-4000-8000-000000000002";
const payoutId = (): string => payee.payouts[0]?.id ?? "";
const earningId = (): string => payee.payouts[0]?.earningIds[0] ?? "";

const updatePayout = (changes: string): Statement => [
  `UPDATE payouts SET ${changes} WHERE id = $1`,
  payoutId(),
];
const claimed = (): Statement =>
  updatePayout(
    `status = 'PROCESSING', claimed_by = '${RUN}', claimed_at = now(), tax_paise = 0, net_paise = amount_paise`,
  );
const attempt = (changes: Partial<Record<string, string>> = {}): Statement => {
  const columns: Record<string, string> = {
    payout_id: `'${payoutId()}'`,
    attempt_no: "1",
    payout_account_id: `'${payee.payoutAccountId ?? ""}'`,
    run_id: `'${RUN}'`,
    idempotency_key: "gen_random_uuid()",
    reference_id: "gen_random_uuid()",
    mode: "'IMPS'",
    amount_paise: "90000",
    request_hash: "repeat('0', 64)",
    request_body: "'{}'",
  };
  const all = { ...columns, ...changes };
  return `INSERT INTO payout_attempts (${Object.keys(all).join(", ")}) VALUES (${Object.values(all).join(", ")})`;
};
const setAttempt = (state: string): Statement =>
  `UPDATE payout_attempts SET state = '${state}', provider_payout_id = COALESCE(provider_payout_id, 'pout_1')`;
const deduction = (changes: Partial<Record<string, string>> = {}): Statement => {
  const columns: Record<string, string> = {
    id: "'00000000-0000-4000-8000-00000000000d'",
    consultant_id: `'${payee.consultantId}'`,
    payout_id: `'${payoutId()}'`,
    earning_id: `'${earningId()}'`,
    fiscal_year: "2026",
    credited_on: "'2026-06-15'",
    gross_paise: "100000",
    tax_paise: "100",
    rate_bps: "10",
    section: "'194-O'",
    code: "'94O'",
    reason: "'standard-rate'",
    certificate_gross_paise: "500",
  };
  const all = { ...columns, ...changes };
  return `INSERT INTO tax_deductions (${Object.keys(all).join(", ")}) VALUES (${Object.values(all).join(", ")})`;
};
const reversal = (changes: Partial<Record<string, string>> = {}): Statement =>
  deduction({
    id: "gen_random_uuid()",
    reverses_id: "'00000000-0000-4000-8000-00000000000d'",
    gross_paise: "-100000",
    tax_paise: "-100",
    certificate_gross_paise: "-500",
    ...changes,
  });
const ledgerTransaction = (key = "test"): Statement =>
  `INSERT INTO ledger_transactions (id, key, kind) VALUES ('00000000-0000-4000-8000-00000000001e', '${key}', 'provider-opening')`;
const ledgerEntries = (...amounts: number[]): Statement =>
  `INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
   SELECT '00000000-0000-4000-8000-00000000001e', (SELECT id FROM ledger_accounts LIMIT 1), amount
   FROM unnest(ARRAY[${amounts.join(", ")}]::bigint[]) AS amount`;
const updateProfile = (changes: string): Statement => [
  `UPDATE tax_profiles SET ${changes} WHERE consultant_id = $1`,
  payee.consultantId,
];
const updateAccount = (changes: string): Statement => [
  `UPDATE payout_accounts SET ${changes} WHERE consultant_id = $1`,
  payee.consultantId,
];
const certificate = (terms: string): Statement =>
  `INSERT INTO lower_deduction_certificates (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)
   VALUES ('${payee.consultantId}', 'CERT-1', ${terms})`;

describe("amounts", () => {
  it.each([
    ["earnings_amounts", "gross_paise = 0, platform_fee_paise = 0, amount_paise = 0"],
    ["earnings_amounts", "platform_fee_paise = -1, amount_paise = gross_paise + 1"],
    ["earnings_amounts", "amount_paise = amount_paise + 1"],
    ["earnings_amounts", "platform_fee_paise = gross_paise, amount_paise = 0"],
  ])("of an earning fit together (%s: %s)", async (constraint, changes) => {
    expect(await refusedBy(`UPDATE earnings SET ${changes}`)).toBe(constraint);
  });

  it.each([
    ["payouts_amounts", "amount_paise = 0"],
    ["payouts_amounts", "amount_paise = -5"],
    ["payouts_amounts", "gross_paise = amount_paise - 1"],
    ["payouts_net_plus_tax", "tax_paise = -1, net_paise = amount_paise + 1"],
    ["payouts_net_plus_tax", "tax_paise = amount_paise + 1, net_paise = -1"],
    ["payouts_net_plus_tax", "tax_paise = 0, net_paise = amount_paise - 1"],
    ["payouts_net_plus_tax", "tax_paise = 0"],
    ["payouts_net_plus_tax", "net_paise = amount_paise"],
    ["payouts_tries", "tries = -1"],
    ["payouts_processing_is_claimed", "status = 'PROCESSING'"],
    ["payouts_processing_is_claimed", `status = 'PROCESSING', claimed_by = '${RUN}'`],
    ["payouts_processing_is_claimed", "status = 'PROCESSING', claimed_at = now()"],
    ["payouts_approved_has_time", "approved_at = NULL"],
  ])("and marks of a payout fit together (%s: %s)", async (constraint, changes) => {
    expect(await refusedBy(updatePayout(changes))).toBe(constraint);
  });

  it("a payout is completed only with its tax assessed, be it zero", async () => {
    const untaxed = updatePayout(
      `status = 'PROCESSING', claimed_by = '${RUN}', claimed_at = now()`,
    );
    expect(await refusedBy(untaxed, updatePayout("status = 'COMPLETED'"))).toBe(
      "payouts_completed_is_taxed",
    );
    const paid = [claimed(), attempt(), setAttempt("PROCESSED")];
    expect(await refusedBy(...paid, updatePayout("status = 'COMPLETED'"))).toBe("nothing");
  });

  it.each([
    ["payout_items_amounts", "amount_paise = -1"],
    ["payout_items_amounts", "gross_paise = amount_paise - 1"],
  ])("of an item fit together (%s: %s)", async (constraint, changes) => {
    expect(await refusedBy(`UPDATE payout_items SET ${changes}`)).toBe(constraint);
  });

  it.each([
    ["payout_attempts_hash", { request_hash: "'abc'" }],
    ["payout_attempts_hash", { request_hash: "repeat('G', 64)" }],
    ["payout_attempts_claimed", { amount_paise: "89999" }],
    ["payout_attempts_claimed", { run_id: `'${OTHER_RUN}'` }],
    ["payout_attempts_in_turn", { attempt_no: "2" }],
    ["payout_attempts_number", { attempt_no: "0" }],
    ["payout_attempts_in_turn", { state: "'ACCEPTED'", provider_payout_id: "'pout_1'" }],
    ["nothing", {}],
  ])("of an attempt are those of its claimed payout (%s)", async (constraint, changes) => {
    expect(await refusedBy(claimed(), attempt(changes))).toBe(constraint);
  });

  it.each([
    ["payout_attempts_amount", { amount_paise: "0" }],
    ["payout_attempts_number", { attempt_no: "0" }],
  ])("of an attempt are positive even without the triggers (%s)", async (constraint, changes) => {
    const off = "ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_guard_new";
    expect(await refusedBy(claimed(), off, attempt(changes))).toBe(constraint);
  });

  it.each(["ACCEPTED", "PROCESSED", "FAILED"])(
    "an attempt is %s only with the provider's id",
    async (state) => {
      const change = `UPDATE payout_attempts SET state = '${state}'`;
      expect(await refusedBy(claimed(), attempt(), change)).toBe("payout_attempts_accepted_has_id");
    },
  );

  it.each([
    ["tax_deductions_amounts", { gross_paise: "0" }],
    ["tax_deductions_amounts", { tax_paise: "-1" }],
    ["tax_deductions_amounts", { carried_forward_paise: "-1" }],
    ["tax_deductions_amounts", { certificate_gross_paise: "-1" }],
    ["tax_deductions_rate", { rate_bps: "-1" }],
    ["tax_deductions_rate", { rate_bps: "10001" }],
    ["nothing", { tax_paise: "0", rate_bps: "0" }],
  ])("of a deduction are never negative (%s)", async (constraint, changes) => {
    expect(await refusedBy(deduction(changes))).toBe(constraint);
  });

  it.each([
    ["lower_deduction_certificates_terms", "-1, '2026-04-01', '2027-03-31', 1"],
    ["lower_deduction_certificates_terms", "10001, '2026-04-01', '2027-03-31', 1"],
    ["lower_deduction_certificates_terms", "5, '2026-04-02', '2026-04-01', 1"],
    ["lower_deduction_certificates_terms", "5, '2026-04-01', '2027-03-31', 0"],
    ["nothing", "0, '2026-04-01', '2026-04-01', 1"],
  ])("of a certificate make sense (%s: %s)", async (constraint, terms) => {
    expect(await refusedBy(certificate(terms))).toBe(constraint);
  });
});

describe("who is paid", () => {
  it.each([
    ["payout_accounts_kind", "vpa = 'asha@examplebank'"],
    ["payout_accounts_kind", "ifsc = NULL"],
    ["payout_accounts_kind", "account_number = NULL"],
    ["payout_accounts_kind", "kind = 'vpa'"],
    ["payout_accounts_kind", "kind = 'vpa', vpa = 'asha@examplebank'"],
    ["nothing", "kind = 'vpa', vpa = 'asha@examplebank', ifsc = NULL, account_number = NULL"],
  ])("has either a bank account or a VPA (%s: %s)", async (constraint, changes) => {
    expect(await refusedBy(updateAccount(changes))).toBe(constraint);
  });

  it("has at most one active account", async () => {
    const second = [
      `INSERT INTO payout_accounts (consultant_id, kind, vpa) VALUES ($1, 'vpa', 'asha@examplebank')`,
      payee.consultantId,
    ] as const;
    expect(await refusedBy(second)).toBe("payout_accounts_one_active");
    expect(await refusedBy(updateAccount("active = false"), second)).toBe("nothing");
  });

  it.each([
    ["tax_profiles_pan", "pan = NULL"],
    ["tax_profiles_pan", "pan_status = 'missing'"],
    ["tax_profiles_pan", "pan = 'ZZZPE1234'"],
    ["tax_profiles_pan", "pan = 'zzzpe1234a'"],
    ["tax_profiles_relief", "pan_relief_from = '2026-04-01'"],
    ["tax_profiles_relief", "pan_relief_to = '2026-04-01'"],
    ["tax_profiles_relief", "pan_relief_from = '2026-04-02', pan_relief_to = '2026-04-01'"],
    ["nothing", "pan_status = 'missing', pan = NULL"],
    ["nothing", "pan_relief_from = '2026-04-01', pan_relief_to = '2026-04-01'"],
  ])("has a PAN in form, or none (%s: %s)", async (constraint, changes) => {
    expect(await refusedBy(updateProfile(changes))).toBe(constraint);
  });
});

describe("at most one", () => {
  it("payout at the provider may be alive for one obligation", async () => {
    const off = "ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_guard_new";
    for (const state of ["PREPARED", "UNKNOWN", "ACCEPTED", "PROCESSED"]) {
      const live = attempt({ state: `'${state}'`, provider_payout_id: "'pout_1'" });
      expect(await refusedBy(claimed(), off, live, attempt({ attempt_no: "2" }))).toBe(
        "payout_attempts_one_live",
      );
    }
    for (const state of ["REFUSED", "FAILED", "REVERSED"]) {
      const dead = attempt({ state: `'${state}'`, provider_payout_id: "'pout_1'" });
      expect(await refusedBy(claimed(), off, dead, attempt({ attempt_no: "2" }))).toBe("nothing");
    }
  });

  it("payout holds an earning, until it is released", async () => {
    const take = [
      `WITH next AS (
         INSERT INTO payouts (consultant_id, gross_paise, amount_paise, status)
         VALUES ($1, 100000, 90000, 'PENDING') RETURNING id)
       INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
       SELECT id, $2, 100000, 90000 FROM next`,
      payee.consultantId,
      earningId(),
    ] as const;
    const release = [
      updatePayout("status = 'REJECTED'"),
      ["UPDATE payout_items SET released_at = now() WHERE earning_id = $1", earningId()],
    ] as const;
    expect(await refusedBy(take)).toBe("payout_items_one_holder");
    expect(await refusedBy(...release, take)).toBe("nothing");
    expect(
      await refusedBy(...release, take, [
        "UPDATE payout_items SET released_at = NULL WHERE payout_id = $1",
        payoutId(),
      ]),
    ).toBe("payout_items_one_holder");
  });

  it("account of a kind is in the books, and one payable for each consultant", async () => {
    expect(await refusedBy("INSERT INTO ledger_accounts (code) VALUES ('PLATFORM_CLEARING')")).toBe(
      "ledger_accounts_one_per_owner",
    );
    expect(
      await refusedBy([
        "INSERT INTO ledger_accounts (code, consultant_id) VALUES ('CONSULTANT_PAYABLE', $1)",
        payee.consultantId,
      ]),
    ).toBe("ledger_accounts_one_per_owner");
  });

  it("row says whether there is maintenance", async () => {
    expect(await refusedBy("INSERT INTO maintenance (id, phase) VALUES (2, 'off')")).toBe(
      "maintenance_one_row",
    );
  });
});

const PAYOUT_STATES = [
  "PENDING",
  "APPROVED",
  "PROCESSING",
  "COMPLETED",
  "FAILED",
  "REVERSED",
  "REJECTED",
] as const;
const PAYOUT_GRAPH = new Set([
  "PENDING>APPROVED",
  "PENDING>REJECTED",
  "APPROVED>REJECTED",
  "APPROVED>PROCESSING",
  "PROCESSING>APPROVED",
  "PROCESSING>PENDING",
  "PROCESSING>COMPLETED",
  "PROCESSING>FAILED",
  "FAILED>APPROVED",
  "COMPLETED>REVERSED",
]);
const ATTEMPT_STATES = [
  "PREPARED",
  "ACCEPTED",
  "PROCESSED",
  "REFUSED",
  "FAILED",
  "REVERSED",
  "UNKNOWN",
] as const;
const ATTEMPT_GRAPH = new Set([
  "PREPARED>ACCEPTED",
  "PREPARED>PROCESSED",
  "PREPARED>REFUSED",
  "PREPARED>FAILED",
  "PREPARED>UNKNOWN",
  "UNKNOWN>ACCEPTED",
  "UNKNOWN>PROCESSED",
  "UNKNOWN>REFUSED",
  "UNKNOWN>FAILED",
  "UNKNOWN>REVERSED",
  "ACCEPTED>PROCESSED",
  "ACCEPTED>FAILED",
  "ACCEPTED>REVERSED",
  "PROCESSED>REVERSED",
]);

describe("the status of a payout", () => {
  const insert = (status: string): Statement =>
    `INSERT INTO payouts (id, consultant_id, gross_paise, amount_paise, status, approved_at, claimed_by,
       claimed_at, tax_paise, net_paise)
     VALUES ('00000000-0000-4000-8000-00000000000a', '${payee.consultantId}', 100, 100, '${status}', now(),
       '${RUN}', now(), 0, 100)`;
  /** It holds no earning, for the graph alone is asked here. */
  const empty = "ALTER TABLE payouts DISABLE TRIGGER payouts_items_sum";
  const move = (status: string): Statement =>
    `UPDATE payouts SET status = '${status}', approved_at = now() WHERE id = '00000000-0000-4000-8000-00000000000a'`;
  /** On the graph, and yet only when an attempt says so. */
  const PROVEN = new Map([
    ["PROCESSING>COMPLETED", "payouts_completed_when_paid"],
    ["COMPLETED>REVERSED", "payouts_reversed_by_provider"],
  ]);

  it("moves along the graph, each of its 49 pairs", async () => {
    for (const from of PAYOUT_STATES)
      for (const to of PAYOUT_STATES) {
        const allowed = from === to || PAYOUT_GRAPH.has(`${from}>${to}`);
        const expected =
          PROVEN.get(`${from}>${to}`) ?? (allowed ? "nothing" : "payouts_status_graph");
        expect([from, to, await refusedBy(empty, insert(from), move(to))]).toEqual([
          from,
          to,
          expected,
        ]);
      }
  });

  it("stays on the graph over any walk", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...PAYOUT_STATES), { minLength: 1, maxLength: 12 }),
        async (walk) => {
          let at = "PENDING";
          await client.query("BEGIN");
          try {
            await run(insert(at));
            for (const to of walk) {
              const step = `${at}>${to}`;
              const allowed = to === at || (!PROVEN.has(step) && PAYOUT_GRAPH.has(step));
              await client.query("SAVEPOINT step");
              const moved = await Promise.resolve(run(move(to))).then(
                () => true,
                () => false,
              );
              if (!moved) await client.query("ROLLBACK TO step");
              expect([at, to, moved]).toEqual([at, to, allowed]);
              if (moved) at = to;
            }
          } finally {
            await client.query("ROLLBACK");
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(["PREPARED", "UNKNOWN", "ACCEPTED", "PROCESSED"])(
    "neither fails nor is approved again while an attempt is %s",
    async (state) => {
      const steps: Statement[] = [claimed(), attempt()];
      if (state !== "PREPARED") steps.push(setAttempt(state));
      for (const status of ["APPROVED", "FAILED"]) {
        expect(await refusedBy(...steps, updatePayout(`status = '${status}'`))).toBe(
          "payouts_no_live_attempt",
        );
      }
    },
  );

  it.each(["REFUSED", "FAILED"])("fails or is approved again once it is %s", async (state) => {
    for (const status of ["APPROVED", "FAILED"]) {
      const change = updatePayout(`status = '${status}'`);
      expect(await refusedBy(claimed(), attempt(), setAttempt(state), change)).toBe("nothing");
    }
  });
});

describe("a completed payout", () => {
  const completed = (): Statement[] => [
    claimed(),
    attempt(),
    setAttempt("PROCESSED"),
    updatePayout("status = 'COMPLETED', completed_at = now()"),
  ];
  const reverse = (): Statement => updatePayout("status = 'REVERSED'");

  it("is reversed once the attempt that paid it is, and not before", async () => {
    expect(await refusedBy(...completed(), reverse())).toBe("payouts_no_live_attempt");
    expect(await refusedBy(...completed(), setAttempt("REVERSED"), reverse())).toBe("nothing");
  });
});

describe("an attempt", () => {
  const pathTo = (state: string): Statement[] => {
    if (state === "PREPARED") return [];
    if (state === "REVERSED") return [setAttempt("UNKNOWN"), setAttempt("REVERSED")];
    return [setAttempt(state)];
  };

  it("moves along its graph, each of its 49 pairs", async () => {
    for (const from of ATTEMPT_STATES)
      for (const to of ATTEMPT_STATES) {
        const steps = [claimed(), attempt(), ...pathTo(from), setAttempt(to)];
        const allowed = from === to || ATTEMPT_GRAPH.has(`${from}>${to}`);
        const expected = allowed ? "nothing" : "payout_attempts_state_graph";
        expect([from, to, await refusedBy(...steps)]).toEqual([from, to, expected]);
      }
  });

  it.each([
    "payout_id = (SELECT id FROM payouts WHERE id <> payout_id LIMIT 1)",
    "attempt_no = 2",
    "payout_account_id = (SELECT id FROM payout_accounts WHERE id <> payout_account_id LIMIT 1)",
    `run_id = '${OTHER_RUN}'`,
    "idempotency_key = 'another'",
    "reference_id = 'another'",
    "mode = 'NEFT'",
    "amount_paise = amount_paise + 1",
    "request_hash = repeat('1', 64)",
    `request_body = '{"amount": 1}'`,
  ])("never changes its request (%s)", async (change) => {
    expect(await refusedBy(claimed(), attempt(), `UPDATE payout_attempts SET ${change}`)).toBe(
      "payout_attempts_immutable",
    );
  });

  it("never changes the provider's payout that it is, once that is known", async () => {
    const accepted = [claimed(), attempt(), setAttempt("ACCEPTED")];
    for (const id of ["'pout_2'", "NULL"])
      expect(
        await refusedBy(...accepted, `UPDATE payout_attempts SET provider_payout_id = ${id}`),
      ).toBe("payout_attempts_immutable");
    const inDoubt = [claimed(), attempt(), setAttempt("UNKNOWN")];
    expect(
      await refusedBy(...inDoubt, "UPDATE payout_attempts SET provider_payout_id = NULL"),
    ).toBe("payout_attempts_immutable");
  });

  it.each(["PROCESSED", "REFUSED", "FAILED", "REVERSED"])(
    "that is settled as %s stays as it was recorded",
    async (state) => {
      const settled = [claimed(), attempt(), ...pathTo(state)];
      for (const change of [
        "settled_at = now() + interval '1 day'",
        "created_at = created_at - interval '1 day'",
        "provider_status = 'queued'",
        "failure_code = 'another'",
        "fees_paise = 1",
        "fees_tax_paise = 1",
        "utr = 'another'",
        "http_status = 500",
        `response_body = '{"id": "pout_2"}'`,
      ])
        expect([
          change,
          await refusedBy(...settled, `UPDATE payout_attempts SET ${change}`),
        ]).toEqual([change, "payout_attempts_settled_once"]);
      expect(await refusedBy(...settled, "UPDATE payout_attempts SET utr = utr")).toBe("nothing");
    },
  );

  it("that was paid can come back, and nothing else of it changes then", async () => {
    const paid = [claimed(), attempt(), setAttempt("PROCESSED")];
    const back = "state = 'REVERSED', provider_status = 'reversed', failure_code = 'x'";
    const when = "settled_at = now() + interval '1 day'";
    expect(await refusedBy(...paid, `UPDATE payout_attempts SET ${back}, ${when}`)).toBe("nothing");
    for (const more of ["fees_paise = 1", "utr = 'another'", "response_body = '{}'"])
      expect(await refusedBy(...paid, `UPDATE payout_attempts SET ${back}, ${more}`)).toBe(
        "payout_attempts_settled_once",
      );
  });

  it("comes after the one before it has failed for certain, and with the next number", async () => {
    const first = [claimed(), attempt()];
    const second = attempt({ attempt_no: "2" });
    const third = attempt({ attempt_no: "3" });
    // The index of live attempts looks at each row as it comes, the guard at all rows of a statement.
    const oneLive = "DROP INDEX payout_attempts_one_live";
    for (const state of ["ACCEPTED", "UNKNOWN", "PROCESSED"]) {
      const tries = [...first, setAttempt(state), second] as const;
      expect(await refusedBy(...tries)).toBe("payout_attempts_one_live");
      expect(await refusedBy(oneLive, ...tries)).toBe("payout_attempts_in_turn");
    }
    expect(await refusedBy(oneLive, ...first, second)).toBe("payout_attempts_in_turn");
    expect(await refusedBy(...first, setAttempt("REFUSED"), second)).toBe("nothing");
    for (const other of [attempt({ attempt_no: "4" }), third])
      expect(await refusedBy(...first, setAttempt("REFUSED"), other)).toBe(
        "payout_attempts_in_turn",
      );
  });

  it("is looked at in a statement of several, each of which must be as one alone", async () => {
    const [payout] = other.payouts;
    const both = `UPDATE payouts SET status = 'PROCESSING', claimed_by = '${RUN}', claimed_at = now(),
      tax_paise = 0, net_paise = amount_paise`;
    const two = (second: Record<string, string>): Statement => {
      const row = attempt({
        payout_id: `'${payout?.id ?? ""}'`,
        payout_account_id: `'${other.payoutAccountId ?? ""}'`,
        ...second,
      });
      return `${attempt() as string}, ${/VALUES (.*)$/s.exec(row as string)?.[1] ?? ""}`;
    };
    expect(await refusedBy(both, two({}))).toBe("nothing");
    expect(await refusedBy(both, two({ attempt_no: "2" }))).toBe("payout_attempts_in_turn");
    expect(await refusedBy(both, two({ amount_paise: "89999" }))).toBe("payout_attempts_claimed");
    expect(await refusedBy(both, two({ run_id: `'${OTHER_RUN}'` }))).toBe(
      "payout_attempts_claimed",
    );
    expect(await refusedBy(claimed(), two({}))).toBe("payout_attempts_claimed");
  });

  it("is made only for a payout in processing, by the run that holds it", async () => {
    expect(await refusedBy(attempt())).toBe("payout_attempts_claimed");
    const failed = [claimed(), updatePayout("status = 'FAILED'")];
    expect(await refusedBy(...failed, attempt())).toBe("payout_attempts_claimed");
  });

  it("waits for a take-over that is not committed yet, and is then refused", async () => {
    const mine = await seedPayee(database);
    const id = mine.payouts[0]?.id ?? "";
    await database.query(
      `UPDATE payouts SET status = 'PROCESSING', claimed_by = $2, claimed_at = now(), tax_paise = 0,
              net_paise = amount_paise WHERE id = $1`,
      [id, RUN],
    );
    const newcomer = new pg.Client({ connectionString: database.url });
    await newcomer.connect();
    try {
      await newcomer.query("BEGIN");
      await newcomer.query("UPDATE payouts SET claimed_by = $2 WHERE id = $1", [id, OTHER_RUN]);
      const stale = refusedBy(
        attempt({ payout_id: `'${id}'`, payout_account_id: `'${mine.payoutAccountId ?? ""}'` }),
      );
      await untilSomeoneWaits();
      await newcomer.query("COMMIT");
      expect(await stale).toBe("payout_attempts_claimed");
    } finally {
      await newcomer.end();
    }
  });

  it("can't be deleted, alone or with its table", async () => {
    const made = [claimed(), attempt()];
    expect(await refusedBy(...made, "DELETE FROM payout_attempts")).toBe(
      "payout_attempts_append_only",
    );
    expect(await refusedBy("TRUNCATE payout_attempts")).toBe("payout_attempts_append_only");
  });
});

describe("a payout", () => {
  it("holds no earning of another payee", async () => {
    const item = (earning: string): Statement =>
      `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
       VALUES ('${payoutId()}', '${earning}', 1, 1)`;
    const free = [
      `UPDATE payouts SET status = 'REJECTED' WHERE id IN ('${payoutId()}', '${other.payouts[0]?.id ?? ""}')`,
      `UPDATE payout_items SET released_at = now()
       WHERE payout_id IN ('${payoutId()}', '${other.payouts[0]?.id ?? ""}')`,
    ];
    const theirs = other.payouts[0]?.earningIds[0] ?? "";
    expect(await refusedBy(...free, item(theirs))).toBe("payout_items_of_payee");
  });
});

describe("what the provider calls a payee", () => {
  it.each([
    ["consultants", "provider_contact_id"],
    ["payout_accounts", "provider_fund_account_id"],
  ])("is noted once (%s)", async (table, column) => {
    const note = (name: string): Statement => [
      `UPDATE ${table} SET ${column} = ${name} WHERE id = $1`,
      table === "consultants" ? payee.consultantId : payee.payoutAccountId,
    ];
    expect(await refusedBy(note("'one'"), note("'one'"))).toBe("nothing");
    for (const other of ["'another'", "NULL"])
      expect(await refusedBy(note("'one'"), note(other))).toBe(`${table}_provider_name_once`);
  });
});

describe("a tax deduction", () => {
  it.each([
    "tax_paise = 0",
    "gross_paise = 1",
    "fiscal_year = 2025",
    "reason = 'other'",
    "carried_forward_paise = 1",
    "certificate_gross_paise = 0",
    "created_at = created_at + interval '1 day'",
  ])("never changes (%s)", async (change) => {
    expect(await refusedBy(deduction(), `UPDATE tax_deductions SET ${change}`)).toBe(
      "tax_deductions_append_only",
    );
  });

  it("becomes final and stays final", async () => {
    const final = "UPDATE tax_deductions SET status = 'FINAL'";
    expect(await refusedBy(deduction(), final)).toBe("nothing");
    expect(
      await refusedBy(deduction(), final, "UPDATE tax_deductions SET status = 'RESERVED'"),
    ).toBe("tax_deductions_append_only");
  });

  it("can't be deleted", async () => {
    expect(await refusedBy(deduction(), "DELETE FROM tax_deductions")).toBe(
      "tax_deductions_append_only",
    );
    expect(await refusedBy("TRUNCATE tax_deductions")).toBe("tax_deductions_append_only");
  });

  it.each([
    ["tax_deductions_reversal", { tax_paise: "-101" }],
    ["tax_deductions_reversal", { gross_paise: "-100001" }],
    ["tax_deductions_reversal", { certificate_gross_paise: "-501" }],
    ["tax_deductions_reversal", { fiscal_year: "2025" }],
    ["tax_deductions_amounts", { tax_paise: "1" }],
    ["tax_deductions_amounts", { gross_paise: "1" }],
    ["tax_deductions_amounts", { certificate_gross_paise: "1" }],
    ["nothing", { tax_paise: "-40", gross_paise: "-40000", certificate_gross_paise: "0" }],
    ["nothing", {}],
  ])("is taken back by at most what it is (%s %j)", async (constraint, changes) => {
    expect(await refusedBy(deduction(), reversal(changes))).toBe(constraint);
  });

  it("of another payee is not taken back, nor is a reversal", async () => {
    expect(
      await refusedBy(deduction(), reversal({ consultant_id: `'${other.consultantId}'` })),
    ).toBe("tax_deductions_reversal");
    const id = "'00000000-0000-4000-8000-0000000000dd'";
    expect(
      await refusedBy(
        deduction(),
        reversal({ id }),
        reversal({
          reverses_id: id,
          gross_paise: "0",
          tax_paise: "0",
          certificate_gross_paise: "0",
        }),
      ),
    ).toBe("tax_deductions_reversal");
  });

  it("is taken back once", async () => {
    expect(await refusedBy(deduction(), reversal(), reversal())).toBe(
      "tax_deductions_reverses_id_key",
    );
  });
});

describe("the ledger", () => {
  it("takes a transaction whose entries sum to zero", async () => {
    expect(await refusedBy(ledgerTransaction(), ledgerEntries(5, -3, -2))).toBe("nothing");
  });

  it.each([
    ["out of balance", [5, -4]],
    ["one entry", [5]],
  ])("refuses a transaction that is %s, as soon as its entries come", async (_title, amounts) => {
    expect(await refusedBy(ledgerTransaction(), ledgerEntries(...amounts))).toBe(
      "ledger_transactions_balanced",
    );
  });

  it("refuses at commit a transaction without entries", async () => {
    expect(await refusedBy(ledgerTransaction())).toBe("ledger_transactions_balanced");
  });

  it("refuses one without entries at a real commit, and nothing of it stays", async () => {
    await client.query("BEGIN");
    await run(ledgerTransaction("empty"));
    await expect(client.query("COMMIT")).rejects.toMatchObject({
      constraint: "ledger_transactions_balanced",
    });
    expect(await database.query("SELECT 1 FROM ledger_transactions WHERE key = 'empty'")).toEqual(
      [],
    );
  });

  it("refuses entries that would take a balanced transaction out of balance, in any mode", async () => {
    for (const mode of ["IMMEDIATE", "DEFERRED"])
      expect(
        await refusedBy(
          ledgerTransaction(),
          ledgerEntries(5, -5),
          `SET CONSTRAINTS ALL ${mode}`,
          ledgerEntries(7, -6),
        ),
      ).toBe("ledger_transactions_balanced");
  });

  it("balances each transaction of a statement for itself, not all of them together", async () => {
    const second = "00000000-0000-4000-8000-00000000002e";
    const crossed = `INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
      SELECT id, (SELECT id FROM ledger_accounts LIMIT 1), amount
      FROM (VALUES ('00000000-0000-4000-8000-00000000001e'::uuid, 5), ('00000000-0000-4000-8000-00000000001e', -4),
                   ('${second}', 4), ('${second}', -5)) AS entry (id, amount)`;
    expect(
      await refusedBy(
        ledgerTransaction(),
        `INSERT INTO ledger_transactions (id, key, kind) VALUES ('${second}', 'second', 'provider-opening')`,
        crossed,
      ),
    ).toBe("ledger_transactions_balanced");
  });

  it("takes no entry for an older transaction, not even two that balance", async () => {
    const add = (...amounts: number[]): Statement =>
      `INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
       SELECT (SELECT id FROM ledger_transactions WHERE key LIKE 'earning-released:%' LIMIT 1),
              (SELECT id FROM ledger_accounts LIMIT 1), amount
       FROM unnest(ARRAY[${amounts.join(", ")}]::bigint[]) AS amount`;
    expect(await refusedBy(add(5))).toBe("ledger_transactions_balanced");
    expect(await refusedBy(add(5, -5))).toBe("ledger_transactions_closed");
  });

  it.each(["ledger_transactions", "ledger_entries"])("%s is append-only", async (table) => {
    const column = table === "ledger_entries" ? "amount_paise = 1" : "kind = 'other'";
    const constraint = `${table}_append_only`;
    expect(await refusedBy(`UPDATE ${table} SET ${column}`)).toBe(constraint);
    expect(await refusedBy(`DELETE FROM ${table}`)).toBe(constraint);
    expect(await refusedBy(`TRUNCATE ${table} CASCADE`)).toMatch(/^ledger_.*_append_only$/);
  });

  it("is not emptied by emptying what it refers to", async () => {
    expect(await refusedBy("TRUNCATE consultants CASCADE")).toMatch(/_append_only$/);
  });

  it("has no entry of zero", async () => {
    expect(await refusedBy(ledgerTransaction(), ledgerEntries(0, 5, -5))).toBe(
      "ledger_entries_nonzero",
    );
  });

  it("has a payable for a consultant, and every other account for nobody", async () => {
    expect(
      await refusedBy("INSERT INTO ledger_accounts (code) VALUES ('CONSULTANT_PAYABLE')"),
    ).toBe("ledger_accounts_owner");
    expect(
      await refusedBy([
        "INSERT INTO ledger_accounts (code, consultant_id) VALUES ('BANK', $1)",
        payee.consultantId,
      ]),
    ).toBe("ledger_accounts_owner");
  });
});

describe("every invariant of the migration", () => {
  it("was seen to refuse something by the tests above", async () => {
    const sql = await readFile("prisma/migrations/20261122000100_invariants/migration.sql", "utf8");
    const named = [
      ...sql.matchAll(/ADD CONSTRAINT "(\w+)"/g),
      ...sql.matchAll(/CREATE UNIQUE INDEX "(\w+)"/g),
      ...sql.matchAll(/CONSTRAINT = '(\w+)'/g),
    ].map(([, name = ""]) => name);
    const tables = [...sql.matchAll(/BEFORE [A-Z ]+ON "(\w+)"\s+FOR EACH STATEMENT/g)];
    const appendOnly = tables.map(([, table = ""]) => `${table}_append_only`);
    expect(named.length).toBeGreaterThan(30);
    expect(appendOnly).toHaveLength(4);
    expect([...named, ...appendOnly].filter((name) => !seenToRefuse.has(name))).toEqual([]);
  });
});

async function untilSomeoneWaits(): Promise<void> {
  for (;;) {
    const waiting = await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if (waiting.length > 0) return;
    await sleep(10);
  }
}
