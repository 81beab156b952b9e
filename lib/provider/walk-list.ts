import { AfterhoursError } from "../support/errors.ts";
import type { Answer } from "./answer.ts";

/** How a walk through one of the provider's lists ended. */
export type Walk =
  | { kind: "complete" }
  | { kind: "interrupted" }
  /** A page could not be read: the earlier records are true, and missing ones prove nothing. */
  | { kind: "unusable"; answer: Exclude<Answer<unknown>, { kind: "accepted" }> };

/** The provider's most. */
const PAGE = 100;
/** 200,000 records: more than a period should hold. */
const MOST_PAGES = 2_000;

/**
 * Reads a list page by page, newest first, and passes each record on once. New records push older ones to later
 * pages: nothing is missed, and repeated records are dropped.
 *
 * @throws {AfterhoursError} `PROVIDER_LIST_ENDLESS` when pages continue without anything new
 */
export async function walkList<T extends { readonly id: string }>(
  readPage: (page: { count: number; skip: number }) => Promise<Answer<T[]>>,
  {
    signal,
    onPage,
  }: {
    signal: AbortSignal;
    onPage: (items: T[], httpStatus: number) => Promise<void> | void;
  },
): Promise<Walk> {
  const seen = new Set<string>();
  for (let page = 0; page < MOST_PAGES; page++) {
    if (isStopped(signal)) return { kind: "interrupted" };
    const answer = await readPage({ count: PAGE, skip: page * PAGE });
    if (answer.kind !== "accepted") {
      return isStopped(signal) ? { kind: "interrupted" } : { kind: "unusable", answer };
    }
    const news = answer.value.filter(({ id }) => !seen.has(id));
    for (const { id } of news) seen.add(id);
    if (news.length > 0) await onPage(news, answer.httpStatus);
    if (answer.value.length < PAGE) return { kind: "complete" };
    if (news.length === 0) break;
  }
  throw new AfterhoursError(
    "PROVIDER_LIST_ENDLESS",
    "the provider's list does not come to an end",
    {
      remedy: "Choose a shorter period (PAYOUTS_RECONCILE_DAYS), and look at the provider's list.",
    },
  );
}

/** A function, because the value may change during an await. */
function isStopped(signal: AbortSignal): boolean {
  return signal.aborted;
}
