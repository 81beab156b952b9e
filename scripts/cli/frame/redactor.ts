import { harnessVariables } from "../../../lib/job/environment.ts";
import { mailEnvironment } from "../../../lib/notifications/settings.ts";
import { razorpayPaymentsVariables, razorpayXVariables } from "../../../lib/razorpay/index.ts";
import { present, type Env } from "../../../lib/support/environment.ts";
import { createRedactor } from "../../../lib/support/redact.ts";

/** For the output of a command: personal data by its shape, and the secrets of its environment by value. */
export const redactor = createRedactor(secretsOf(process.env));

function secretsOf(env: Env): string[] {
  const variables = [
    ...harnessVariables,
    ...razorpayXVariables,
    ...razorpayPaymentsVariables,
    ...mailEnvironment.variables,
  ];
  return variables
    .filter(({ secret }) => secret === true)
    .flatMap(({ name, fallback }) => [name, fallback ?? name])
    .map((name) => present(env, name))
    .filter((value) => value !== undefined);
}
