import type { AnyJob } from "../../../../lib/job/index.ts";
import { mailEnvironment } from "../../../../lib/notifications/index.ts";
import { describeDeliveryFault } from "../../../../lib/notifications/judge.ts";
import { askMailServer } from "../../../../lib/notifications/smtp-session.ts";
import { seconds } from "../../../../lib/support/clock.ts";
import { present, type Env } from "../../../../lib/support/environment.ts";
import { notChecked, overChannel, sentence, wrong, type CheckFinding } from "./finding.ts";

const PART = "mail server";
const AT_MOST_MS = seconds(20);

/** Whether the mail server takes our login; sends nothing. Only where one of these jobs sends mail. */
export async function checkMailServer(
  env: Env,
  jobs: readonly AnyJob[],
): Promise<readonly CheckFinding[]> {
  const isSending = jobs.some(({ environment }) =>
    environment.variables.some(({ name }) => name === "SMTP_URL"),
  );
  if (!isSending) return [];
  if (present(env, "SMTP_URL") === undefined) return [notChecked(PART, "SMTP_URL is not set")];
  const parsed = mailEnvironment.parse(env);
  if (!parsed.ok) return [wrong(PART, sentence(parsed.problems))];
  const { mail } = parsed.settings;
  const where = `${mail.smtp.host}:${mail.smtp.port}`;
  const answer = await askMailServer(mail, { atMostMs: AT_MOST_MS });
  if ("words" in answer) {
    return [
      overChannel(PART, `${where} answers${mail.smtp.login ? " and takes the login" : ""}`, answer),
    ];
  }
  if (answer.accepted || answer.affects !== "server") return [wrong(PART, `${where}: no answer`)];
  const { message, remedy } = describeDeliveryFault(answer);
  return [wrong(PART, `${where}: ${answer.code}. ${message}. ${remedy}`)];
}
