import type { Page } from "./paging.ts";
import { newestFirst } from "./paging.ts";
import type { PayoutRequest } from "./payout-request.ts";
import type { PayoutState } from "./states.ts";
import type { StatusDetails } from "./status-details.ts";

export interface Payout {
  readonly id: string;
  readonly request: PayoutRequest;
  readonly idempotencyKey: string;
  readonly createdAtSeconds: number;
  readonly settlement: Settlement;
  /** Shown as an older answer shows it. */
  readonly oldDetails: boolean;
  readonly noMode: boolean;
  readonly history: { state: PayoutState; at: Date; reason: string | null }[];
  state: PayoutState;
  statusDetails: StatusDetails | null;
  utr: string | null;
  /** Zero until `processing`. */
  feesPaise: number;
  taxPaise: number;
}

/**
 * Where the bank takes a payout from `processing`; `processing` means that it stays there. `rejected` is
 * where an approver takes it, from `pending`.
 */
export interface Settlement {
  endState: "processed" | "failed" | "reversed" | "processing" | "rejected";
  reason?: string;
}

export interface PayoutFilter {
  referenceId?: string;
  fundAccountId?: string;
  contactId?: string;
  mode?: string;
  status?: string;
}

/** Every accepted payout, with an index for each question of callers. */
export interface PayoutBook {
  add(payout: Payout): void;
  get(id: string): Payout | undefined;
  /** Oldest first. */
  all(): readonly Payout[];
  list(filter: PayoutFilter, page: Page): Payout[];
}

export function createPayoutBook(): PayoutBook {
  const all: Payout[] = [];
  const byId = new Map<string, Payout>();
  const byReference = new Map<string, Payout[]>();
  const byFundAccount = new Map<string, Payout[]>();
  const byContact = new Map<string, Payout[]>();

  function list(filter: PayoutFilter, page: Page): Payout[] {
    const { referenceId, fundAccountId, contactId, mode, status } = filter;
    const candidates =
      referenceId !== undefined
        ? byReference.get(referenceId)
        : fundAccountId !== undefined
          ? byFundAccount.get(fundAccountId)
          : contactId !== undefined
            ? byContact.get(contactId)
            : all;
    return newestFirst(
      candidates ?? [],
      page,
      (payout) =>
        (fundAccountId === undefined || payout.request.fundAccount.id === fundAccountId) &&
        (contactId === undefined || payout.request.fundAccount.contact.id === contactId) &&
        (mode === undefined || payout.request.mode === mode) &&
        (status === undefined || payout.state === status),
    );
  }

  function add(payout: Payout): void {
    all.push(payout);
    byId.set(payout.id, payout);
    if (payout.request.referenceId !== null) addTo(byReference, payout.request.referenceId, payout);
    addTo(byFundAccount, payout.request.fundAccount.id, payout);
    addTo(byContact, payout.request.fundAccount.contact.id, payout);
  }

  return { add, get: (id) => byId.get(id), all: () => all, list };
}

function addTo(index: Map<string, Payout[]>, key: string, payout: Payout): void {
  const list = index.get(key);
  if (list) list.push(payout);
  else index.set(key, [payout]);
}
