import type { DbSession } from "../../db/client.ts";
import type { ClaimedPayout } from "../state/decide.ts";
import type { RefusalGate } from "./refusal-gate.ts";
import { keepContactId, keepFundAccountId, removeName } from "../state/payee.ts";
import { failureCode } from "../../provider/failure-code.ts";
import {
  accountHolderName,
  contactName,
  type Answer,
  type CallOptions,
  type PayoutProvider,
} from "../../provider/index.ts";

type NotAccepted = Exclude<Answer<unknown>, { kind: "accepted" }>;

type Destination =
  | { kind: "ready"; fundAccountId: string }
  /** The provider says that these details can not be paid to. */
  | { kind: "refused"; code: string; message: string }
  /** The provider refuses all that this run asks: nothing was sent. */
  | { kind: "stopped" }
  /** Refused by nobody, made by nobody: no payout was attempted. */
  | { kind: "unavailable"; answer: Exclude<NotAccepted, { kind: "refused" }> };

/**
 * Makes sure that contact and fund account exist at the provider, which answers identical details with
 * the record that exists. Both ids are kept, so that this costs two calls once for each account.
 */
export async function ensureDestination(
  { db, gateway, gate }: { db: DbSession; gateway: PayoutProvider; gate: RefusalGate },
  payout: ClaimedPayout,
  options: Required<CallOptions>,
): Promise<Destination> {
  if (payout.fundAccountId !== null) return { kind: "ready", fundAccountId: payout.fundAccountId };

  // The provider takes Latin letters only; a name without any is replaced by our own reference.
  const standIn = `Consultant ${payout.consultantId.slice(0, 8)}`;
  const ask = <T>(request: () => Promise<Answer<T>>): Promise<Answer<T> | undefined> =>
    gate.ask("destination", async () => withoutName(await request(), payout), options.signal);
  let contactId = payout.contactId;
  if (contactId === null) {
    const contact = await ask(() =>
      gateway.createContact(
        {
          name: contactName(payout.name) ?? standIn,
          type: "vendor",
          referenceId: payout.consultantId,
        },
        options,
      ),
    );
    if (contact === undefined) return { kind: "stopped" };
    if (contact.kind !== "accepted") return notReady(contact);
    contactId = contact.value.id;
    await keepContactId(db, { consultantId: payout.consultantId, contactId });
  }

  const { account } = payout;
  const wanted = {
    contactId,
    account:
      account.kind === "vpa"
        ? account
        : { ...account, name: accountHolderName(payout.name) ?? standIn },
  };
  const fundAccount = await ask(() => gateway.createFundAccount(wanted, options));
  if (fundAccount === undefined) return { kind: "stopped" };
  if (fundAccount.kind !== "accepted") return notReady(fundAccount);
  if (!fundAccount.value.active) {
    return {
      kind: "refused",
      code: "FUND_ACCOUNT_INACTIVE",
      message: "the fund account is switched off at the provider",
    };
  }
  const fundAccountId = fundAccount.value.id;
  await keepFundAccountId(db, { payoutAccountId: payout.payoutAccountId, fundAccountId });
  return { kind: "ready", fundAccountId };
}

function notReady(answer: NotAccepted): Destination {
  if (answer.kind !== "refused") return { kind: "unavailable", answer };
  const { failure } = answer;
  return { kind: "refused", code: failureCode(failure), message: failure.description };
}

/** The provider's words about this payee, as anybody may read them. */
export function withoutName<T>(answer: Answer<T>, { name }: ClaimedPayout): Answer<T> {
  if (answer.kind !== "refused") return answer;
  const description = removeName(answer.failure.description, name);
  return { ...answer, failure: { ...answer.failure, description } };
}
