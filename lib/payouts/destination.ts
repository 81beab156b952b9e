import {
  accountHolderName,
  contactName,
  type Answer,
  type CallOptions,
  type RazorpayX,
} from "../razorpay/index.ts";
import type { DbSession } from "../db/client.ts";
import type { ClaimedPayout } from "./claim.ts";
import { keepContactId, keepFundAccountId, removeName } from "./payee.ts";
import { failureCode } from "./settle.ts";

type NotAccepted = Exclude<Answer<unknown>, { kind: "accepted" }>;

export type Destination =
  | { kind: "ready"; fundAccountId: string }
  /** The provider says that these details can not be paid to. */
  | { kind: "refused"; code: string; message: string }
  /** Refused by nobody, made by nobody: no payout was attempted. */
  | { kind: "unavailable"; answer: Exclude<NotAccepted, { kind: "refused" }> };

/**
 * Makes sure that contact and fund account exist at the provider, which answers identical details with
 * the record that exists. Both ids are kept, so that this costs two calls once for each account.
 */
export async function ensureDestination(
  { db, gateway }: { db: DbSession; gateway: RazorpayX },
  payout: ClaimedPayout,
  options: CallOptions,
): Promise<Destination> {
  if (payout.fundAccountId !== null) return { kind: "ready", fundAccountId: payout.fundAccountId };

  // The provider takes Latin letters only; a name without any is replaced by our own reference.
  const standIn = `Consultant ${payout.consultantId.slice(0, 8)}`;
  let contactId = payout.contactId;
  if (contactId === null) {
    const contact = await gateway.createContact(
      {
        name: contactName(payout.name) ?? standIn,
        type: "vendor",
        referenceId: payout.consultantId,
      },
      options,
    );
    if (contact.kind !== "accepted") return notReady(contact, payout);
    contactId = contact.value.id;
    await keepContactId(db, { consultantId: payout.consultantId, contactId });
  }

  const { account } = payout;
  const fundAccount = await gateway.createFundAccount(
    {
      contactId,
      account:
        account.kind === "vpa"
          ? account
          : { ...account, name: accountHolderName(payout.name) ?? standIn },
    },
    options,
  );
  if (fundAccount.kind !== "accepted") return notReady(fundAccount, payout);
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

function notReady(answer: NotAccepted, { name }: ClaimedPayout): Destination {
  if (answer.kind !== "refused") return { kind: "unavailable", answer };
  const { failure } = answer;
  const message = removeName(failure.description, name);
  return { kind: "refused", code: failureCode(failure), message };
}
