import { userInfo } from "node:os";
import { InvalidArgumentError } from "commander";
import {
  HOLD_KINDS,
  isUuid,
  PAYOUT_STATUSES,
  RELEASED_KINDS,
  type HoldKind,
  type PayoutStatus,
  type ReleasedKind,
} from "../../../lib/payouts/operate/index.ts";
import { isDay } from "../../../lib/support/calendar.ts";
import { present, type Env } from "../../../lib/support/environment.ts";
import { parseRupees, type Paise } from "../../../lib/support/money.ts";

/** Something is wrong with how the command was called; nothing was done. */
export class UsageError extends Error {}

export function payoutId(text: string): string {
  return idOf("payout", text);
}

export function paymentId(text: string): string {
  return idOf("payment", text);
}

/** Several ids; one that is named twice is handled once. */
export function payoutIds(text: string, earlier: readonly string[] | undefined): string[] {
  return [...new Set([...(earlier ?? []), payoutId(text)])];
}

export function payoutStatus(text: string): PayoutStatus {
  const found = PAYOUT_STATUSES.find((status) => status === text.toUpperCase());
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${PAYOUT_STATUSES.join(", ")}.`);
  }
  return found;
}

export function holdKind(text: string): HoldKind {
  const found = HOLD_KINDS.find((kind) => kind === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${HOLD_KINDS.join(", ")}.`);
  }
  return found;
}

/**
 * The kinds that can be released: also the hold of an account that the provider refused, which no person places.
 */
export function releasedKind(text: string): ReleasedKind {
  const found = RELEASED_KINDS.find((kind) => kind === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${RELEASED_KINDS.join(", ")}.`);
  }
  return found;
}

export function mailAddress(text: string): string {
  if (/^[^\s<>@,;]+@[^\s<>@,;]+$/.test(text)) return text;
  throw new InvalidArgumentError("expected one address, such as asha@example.com.");
}

const MOST_LISTED = 10_000;

export function listLimit(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || value > MOST_LISTED) {
    throw new InvalidArgumentError(`expected a whole number from 1 to ${MOST_LISTED}.`);
  }
  return value;
}

export function reason(text: string): string {
  return sentence(text, 500);
}

export function operatorName(text: string): string {
  const name = sentence(text, 100);
  // In the audit log that is a job, which had no hand in anything.
  if (/^job:/i.test(name)) throw new InvalidArgumentError("a name does not begin with job:.");
  return name;
}

/** A reference or a name. */
export function shortText(text: string): string {
  return sentence(text, 200);
}

/**
 * The name of the person: `--by`, else the starter of the workflow, else the system's login. Many shells of
 * containers and schedulers have no USER; the system still knows the login.
 *
 * @throws {UsageError}
 */
export function whoDoesIt(by: string | undefined, env: Env, login = loginOf): string {
  const name =
    by ??
    present(env, "GITHUB_ACTOR") ??
    present(env, "USER") ??
    present(env, "LOGNAME") ??
    (env["USER"] === undefined ? login() : undefined);
  if (name === undefined) {
    throw new UsageError("nobody is named: give --by NAME, since each change is audited");
  }
  return operatorName(name);
}

/** Undefined where the system has no name for this user, as in a container with a number alone. */
function loginOf(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** A day, as `2026-11-30`. */
export function day(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError("expected a day as YYYY-MM-DD.");
  return text;
}

/** An amount in rupees. */
export function rupees(text: string): Paise {
  const paise = parseRupees(text);
  if (paise === undefined) {
    throw new InvalidArgumentError(
      "expected rupees without grouping, such as 250000 or 250000.00.",
    );
  }
  return paise;
}

/** The run id of a batch. */
export function runId(text: string): string {
  return idOf("run", text);
}

function idOf(what: string, text: string): string {
  if (!isUuid(text)) {
    throw new InvalidArgumentError(
      `expected a ${what}'s id, such as 8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42.`,
    );
  }
  return text.toLowerCase();
}

function sentence(text: string, longest: number): string {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > longest || /\p{Cc}/u.test(trimmed)) {
    throw new InvalidArgumentError(`expected 1 to ${longest} characters on one line.`);
  }
  return trimmed;
}
