import {
  parseRazorpayPaymentsEnv,
  parseRazorpayXEnv,
  razorpayPaymentsVariables,
  razorpayXVariables,
} from "../../../../lib/razorpay/index.ts";
import { faultOf, gatewayDown, paymentsFault } from "../../../../lib/provider/faults.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import {
  present,
  type Env,
  type EnvironmentVariable,
} from "../../../../lib/support/environment.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { systemRandom } from "../../../../lib/support/random.ts";
import { notChecked, ok, sentence, warning, wrong, type CheckFinding } from "./finding.ts";
import type { AccountKind, Balance, PayoutProvider } from "../../../../lib/provider/index.ts";

const ports = { clock: systemClock, random: systemRandom, log: silentLog(), dryRun: true };
/** An order that there is not: to be told so proves the keys, and reads nothing of anybody. */
const NO_ORDER = "order_AfterhoursCheck";

/** Whether the provider takes the keys of payouts and of payments, by a read that changes nothing. */
export async function checkProvider(env: Env): Promise<CheckFinding[]> {
  return [...(await checkRazorpayX(env)), await checkPayments(env)];
}

async function checkRazorpayX(env: Env): Promise<CheckFinding[]> {
  const part = "provider: payouts";
  if (nothingSet(env, razorpayXVariables)) return [notChecked(part, "no key is set")];
  const parsed = parseRazorpayXEnv(env);
  if (!parsed.ok) return [notChecked(part, sentence(parsed.problems))];
  const { openGateway } = await import("../../../../lib/razorpay/open-gateway.ts");
  const gateway = openGateway(parsed.settings, ports);
  const answer = await gateway.listPayouts({ count: 1 });
  if (answer.kind !== "accepted")
    return [wrong(part, said("list payouts", parsed.settings, faultOf(answer)))];
  const kind = await checkAccountKind(gateway, parsed.settings);
  return [ok(part, `takes the key; ${channelTo(parsed.settings)}`), kind];
}

/** Whether the provider says the same of our account's kind as RAZORPAYX_ACCOUNT_KIND. */
async function checkAccountKind(
  gateway: PayoutProvider,
  settings: { baseUrl: string; accountKind?: AccountKind },
): Promise<CheckFinding> {
  const part = "provider: account";
  const ours: AccountKind = settings.accountKind ?? "lite";
  const answer = await gateway.balances();
  if (answer.kind !== "accepted")
    return notChecked(part, said("read balances", settings, faultOf(answer)));
  const account = answer.value.find(({ isPayoutAccount }) => isPayoutAccount);
  if (!account)
    return wrong(part, "RAZORPAYX_ACCOUNT_NUMBER is not among the balances of this key");
  const theirs = kindOf(account);
  if (theirs === undefined)
    return warning(part, "the provider does not say whether it is a Lite or a current account");
  if (theirs === ours) return ok(part, `is a ${theirs} account, as RAZORPAYX_ACCOUNT_KIND says`);
  return wrong(
    part,
    `is a ${theirs} account and RAZORPAYX_ACCOUNT_KIND is ${ours}: fees would be booked wrongly. Set it to ${theirs}`,
  );
}

function kindOf({ accountType }: Balance): AccountKind | undefined {
  if (accountType === "razorpayx_lite") return "lite";
  return accountType === "current_account" ? "current" : undefined;
}

async function checkPayments(env: Env): Promise<CheckFinding> {
  const part = "provider: payments";
  if (nothingSet(env, razorpayPaymentsVariables)) return notChecked(part, "no key is set");
  const parsed = parseRazorpayPaymentsEnv(env);
  if (!parsed.ok) return notChecked(part, sentence(parsed.problems));
  const { openPayments } = await import("../../../../lib/razorpay/open-payments.ts");
  const answer = await openPayments(parsed.settings, ports).fetchOrder(NO_ORDER);
  const tried = "ask for an order";
  switch (answer.kind) {
    case "accepted":
    case "refused":
      return ok(part, `takes the key; ${channelTo(parsed.settings)}`);
    case "unknown":
      return wrong(part, said(tried, parsed.settings, gatewayDown));
    case "systemic":
      return wrong(part, said(tried, parsed.settings, paymentsFault(answer.fault, answer.detail)));
  }
}

/** An answer over https comes from a server whose certificate was verified: nothing switches that off. */
function channelTo({ baseUrl }: { baseUrl: string }): string {
  return baseUrl.startsWith("https:")
    ? "https, certificate and host name verified"
    : "plain text within this machine";
}

/** Of the required ones: an address or a limit that is set is not a key. */
function nothingSet(env: Env, variables: readonly EnvironmentVariable[]): boolean {
  return variables
    .filter(({ required }) => required)
    .every(({ name, fallback }) => {
      const values = [name, ...(fallback === undefined ? [] : [fallback])];
      return values.every((each) => present(env, each) === undefined);
    });
}

/** Our attempt, its end with the code that the runbooks know, and the next step. */
function said(
  tried: string,
  { baseUrl }: { baseUrl: string },
  { code, message, remedy = "" }: { code: string; message: string; remedy?: string },
): string {
  return `tried to ${tried} at ${new URL(baseUrl).host}: ${message} (${code}) ${remedy}`.trim();
}
