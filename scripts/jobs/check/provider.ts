import {
  parseRazorpayPaymentsEnv,
  parseRazorpayXEnv,
  razorpayPaymentsVariables,
  razorpayXVariables,
  type ProviderVariable,
} from "../../../lib/razorpay/index.ts";
import type { Answer } from "../../../lib/razorpay/answer.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { present, type Env } from "../../../lib/support/environment.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { systemRandom } from "../../../lib/support/random.ts";
import { notChecked, ok, wrong, type CheckFinding } from "./finding.ts";

const ports = { clock: systemClock, random: systemRandom, log: silentLog(), dryRun: true };
/** An order that there is not: to be told so proves the keys, and reads nothing of anybody. */
const NO_ORDER = "order_AfterhoursCheck";

/** Whether the provider takes the keys of payouts and of payments, by a read that changes nothing. */
export async function checkProvider(env: Env): Promise<CheckFinding[]> {
  return [await checkRazorpayX(env), await checkPayments(env)];
}

async function checkRazorpayX(env: Env): Promise<CheckFinding> {
  const part = "provider: payouts";
  if (nothingSet(env, razorpayXVariables)) return notChecked(part, "no key is set");
  const parsed = parseRazorpayXEnv(env);
  if (!parsed.ok) return notChecked(part, sentence(parsed.problems));
  const { openGateway } = await import("../../../lib/razorpay/open-gateway.ts");
  const answer = await openGateway(parsed.settings, ports).listPayouts({ count: 1 });
  return answer.kind === "accepted" ? ok(part, "takes the key") : wrong(part, said(answer));
}

async function checkPayments(env: Env): Promise<CheckFinding> {
  const part = "provider: payments";
  if (nothingSet(env, razorpayPaymentsVariables)) return notChecked(part, "no key is set");
  const parsed = parseRazorpayPaymentsEnv(env);
  if (!parsed.ok) return notChecked(part, sentence(parsed.problems));
  const { openPayments } = await import("../../../lib/razorpay/open-payments.ts");
  const answer = await openPayments(parsed.settings, ports).fetchOrder(NO_ORDER);
  const isTaken = answer.kind === "accepted" || answer.kind === "refused";
  return isTaken ? ok(part, "takes the key") : wrong(part, said(answer));
}

/** Of the required ones: an address or a limit that is set is not a key. */
function nothingSet(env: Env, variables: readonly ProviderVariable[]): boolean {
  return variables
    .filter(({ defaultValue }) => defaultValue === undefined)
    .every(({ name, fallback }) => {
      const values = [name, ...(fallback === undefined ? [] : [fallback])];
      return values.every((each) => present(env, each) === undefined);
    });
}

function sentence(problems: readonly { variable: string; problem: string }[]): string {
  return problems.map(({ variable, problem }) => `${variable}: ${problem}`).join("; ");
}

function said(answer: Answer<unknown>): string {
  switch (answer.kind) {
    case "accepted":
      return "accepted";
    case "refused":
      return "refused the read";
    case "unknown":
      return `gave no clear answer (${answer.cause})`;
    case "systemic":
      return `refused (${answer.fault})`;
  }
}
