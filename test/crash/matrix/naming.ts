import { accountIdOf, consultantIdOf, PAYEES, type ScriptedPayee } from "./payees.ts";
import type { Naming } from "./process.ts";
import type { Statement } from "./wire.ts";
import type { PayoutProvider } from "../../../lib/provider/index.ts";

/** Whose a payout is, learned from the statements that make payouts. */
export interface PayeeBook {
  learn(payoutId: string, consultantId: string): void;
  /** By the id of consultant, account or payout, or by our reference at the provider. */
  find(id: string): ScriptedPayee | undefined;
}

export function createPayeeBook(): PayeeBook {
  const byId = new Map<string, ScriptedPayee>();
  for (const payee of PAYEES) {
    byId.set(consultantIdOf(payee), payee);
    byId.set(accountIdOf(payee), payee);
  }
  return {
    learn(payoutId, consultantId) {
      const payee = byId.get(consultantId);
      if (payee) byId.set(payoutId, payee);
    },
    find: (id) => byId.get(id) ?? byId.get(id.slice(0, UUID_LENGTH)),
  };
}

const UUID_LENGTH = 36;

/**
 * Names the steps of a job: by what is committed or called, and by the payee's fate where that takes another
 * way through the code. What has no name here is an error, so that a new step can not go unnoticed.
 */
export function createNaming(job: string, book: PayeeBook): Naming {
  const payeeIn = (statements: readonly Statement[]): ScriptedPayee | undefined => {
    for (const { values } of statements) {
      for (const value of values) {
        const payee = book.find(value);
        if (payee) return payee;
      }
    }
    return undefined;
  };
  return {
    commit(statements) {
      for (const { sql, values } of statements) {
        const [payoutId, consultantId] = values;
        if (
          payoutId !== undefined &&
          consultantId !== undefined &&
          /INSERT INTO payouts /.test(sql)
        )
          book.learn(payoutId, consultantId);
      }
      const name = nameOf(COMMITS, statements);
      const step = `${job}: commit of `;
      if (!OF_PAYOUTS.test(name)) return `${step}${withKind(name, payeeIn(statements))}`;
      const [payee, ...others] = payeesIn(statements, book);
      return others.length > 0
        ? `${step}${name.replace(/,.*/, "")}s of a batch`
        : `${step}${withKind(name, payee)}`;
    },
    write: (statement) => {
      if (!/\b(INSERT INTO|UPDATE|DELETE FROM)\b/.test(statement.sql)) return undefined;
      const detail = statement.sql.includes("INSERT INTO findings")
        ? ` ${statement.values[0]}`
        : "";
      return `${job}: write of ${nameOf(WRITES, [statement])}${detail}`;
    },
    call: (method, argument) => `${job}: ${nameOfCall(method, argument, book)}`,
  };
}

/** What is done for several payouts in one transaction. */
const OF_PAYOUTS = /^(claim|attempt|answer|completion|failure)\b/;

/** Whose payouts are named in values, which are ids, lists of ids, or rows as JSON. */
function payeesIn(statements: readonly Statement[], book: PayeeBook): ScriptedPayee[] {
  const ids = statements.flatMap(({ values }) =>
    values.flatMap((value) => value.match(UUID) ?? []),
  );
  return [...new Set(ids.flatMap((id) => book.find(id) ?? []))];
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The first whose patterns all occur names the transaction. */
type Names = readonly (readonly [name: string, ...patterns: RegExp[]])[];

const FAILED = /UPDATE payouts SET status = 'FAILED'/;
const COMPLETED = /UPDATE payouts SET status = 'COMPLETED'/;
const RETURNED = /UPDATE payouts SET status = CASE WHEN organization_id/;
const ATTEMPT = /UPDATE payout_attempts SET state/;
const ACCEPTED = /UPDATE payout_attempts SET state = \S+, provider_payout_id/;

const OF_CAPS = /FROM audit_log .* category = 'caps'/;

const COMMITS: Names = [
  ["payout created", /INSERT INTO payouts /],
  ["approval", /UPDATE payouts SET status = 'APPROVED'/],
  ["claim, refused", /UPDATE payouts SET status = 'PROCESSING'/, FAILED],
  ["claim", /UPDATE payouts SET status = 'PROCESSING'/],
  ["claim, taken over", /UPDATE payouts SET claimed_by/],
  ["attempt", /INSERT INTO payout_attempts/],
  ["reversal", /UPDATE payout_attempts SET state = 'REVERSED'/],
  ["answer, completed", ACCEPTED, COMPLETED],
  ["answer, failed", ACCEPTED, FAILED],
  ["answer, in flight", ACCEPTED],
  ["answer, refused", ATTEMPT, FAILED],
  ["answer, not accepted", ATTEMPT, RETURNED],
  ["answer, unknown", ATTEMPT],
  ["completion without a transfer", COMPLETED],
  ["failure before an attempt", FAILED],
  ["claim, given back", RETURNED],
  ["transactions of the account", /INSERT INTO provider_transactions/],
  ["days closed", /INSERT INTO provider_days/],
  ["funding booked", /source_entity = 'bank_transfer'/, /INSERT INTO ledger_transactions/],
  ["account read, nothing to book", /source_entity = 'bank_transfer'/],
  ["changed caps", OF_CAPS, /INSERT INTO audit_log/],
  ["caps, as in the run before", OF_CAPS],
  ["snapshot of the books", /AS "subjectType".* AS drift/],
];

const WRITES: Names = [
  ["contact id", /UPDATE consultants SET provider_contact_id/],
  ["fund account id", /UPDATE payout_accounts SET provider_fund_account_id/],
  ["take-over of a payout in doubt", /UPDATE payouts SET claimed_by/],
  ["finding", /INSERT INTO findings/],
];

function nameOf(names: Names, statements: readonly Statement[]): string {
  const found = names.find(([, ...patterns]) =>
    patterns.every((pattern) => statements.some(({ sql }) => pattern.test(sql))),
  );
  if (found) return found[0];
  throw new Error(`a step without a name:\n${statements.map(({ sql }) => sql).join("\n")}`);
}

/** What is claimed, created and settled with an audit of its own, or with tax, is a step of its own. */
function withKind(name: string, payee: ScriptedPayee | undefined): string {
  if (payee === undefined) return name;
  if (payee.isOrganization) return `${name} (organization)`;
  // Settled by the answer to the request itself, not by a later look.
  const { initialState } = payee.fate ?? {};
  if (name === "answer, completed" && initialState === "processed") return `${name} (at once)`;
  if (name === "answer, failed" && initialState === "failed") return `${name} (at once)`;
  if (payee.isRefusedForGood && ENDS_BADLY.test(name)) return `${name} (account held)`;
  if (name === "claim" && (payee.hasPan === false || payee.isCompany)) return `${name} (taxed)`;
  return name;
}

/** Where the reason may put the account on hold, in the same transaction. */
const ENDS_BADLY = /^(answer, (failed|refused)|failure before an attempt|reversal)$/;

function nameOfCall(method: keyof PayoutProvider, argument: unknown, book: PayeeBook): string {
  const text = typeof argument === "string" ? argument : JSON.stringify(argument);
  switch (method) {
    case "createPayout": {
      const { body } = argument as { body: string };
      const { reference_id } = JSON.parse(body) as { reference_id: string };
      const { name, isOrganization, fate } = book.find(reference_id) ?? {};
      if (name === undefined) throw new Error(`a payout of nobody is sent: ${reference_id}`);
      const usual = isOrganization ? "organization" : "usual";
      return `send (${fate?.on === "POST /payouts" ? name : usual})`;
    }
    case "createContact": {
      const { referenceId } = argument as { referenceId: string };
      const { fate, name } = book.find(referenceId) ?? {};
      return fate?.on === "POST /contacts" ? `POST /contacts (${name})` : "POST /contacts";
    }
    case "createFundAccount":
      return "POST /fund_accounts";
    case "fetchPayout":
      return "GET /payouts/:id";
    case "findPayoutsByReference":
      return "GET /payouts?reference_id";
    case "listPayouts":
      return text.includes('"count":1}') ? "GET /payouts?count=1" : "GET /payouts";
    case "listTransactions":
      return "GET /transactions";
    case "balances":
      return "GET /banking_balances";
    case "cancelPayout":
    case "accountNumber":
    case "accountKind":
    case "requestsPerSecond":
      throw new Error(`${method} has no name as a step`);
  }
}
