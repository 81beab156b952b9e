import {
  combineEnvironments,
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
  type ParsedEnvironment,
} from "../support/environment.ts";
import { isLoopbackHost } from "../support/loopback.ts";
import { plaintextProblem } from "../support/plaintext.ts";
import { credentials } from "../support/secret-forms.ts";
import { decoded, isDecodable } from "../support/server-url.ts";
import { environmentOf, wholeNumber, yesOrNo } from "../support/settings.ts";

/** The sender of a mail, or the address for answers. */
export interface MailAddress {
  name: string;
  address: string;
}

/** How the mail server is reached. */
interface SmtpSettings {
  host: string;
  port: number;
  /** `implicit`: from the first byte (smtps). `required`: STARTTLS, or nothing is sent. */
  tls: "implicit" | "required" | "optional";
  login: { user: string; password: string } | undefined;
  /** The longest wait for any one answer of the server. */
  timeoutMs: number;
}

export interface MailSettings {
  smtp: SmtpSettings;
  from: MailAddress;
  replyTo: MailAddress | undefined;
  /** A mail that the server did not take so often is given up. */
  maxTries: number;
}

/** Mail settings from the environment of a job that sends mail. */
export interface WithMail<Mail extends MailSettings | undefined = MailSettings> {
  mail: Mail;
}

const SMTP_URL = {
  name: "SMTP_URL",
  secret: true,
  description: "mail server",
  allowed: {
    form: "a URL of smtps:// or smtp://",
    example: "smtps://user:password@host:465",
  },
};
const MAIL_FROM = {
  name: "MAIL_FROM",
  description: "who mail is from",
  allowed: { form: "an address, or Name <address>", example: "Acme <mail@example.com>" },
};
const MAIL_REPLY_TO = {
  name: "MAIL_REPLY_TO",
  required: false,
  description: "where answers to mail go, if not to MAIL_FROM",
  allowed: { form: "an address, or Name <address>", example: "help@example.com" },
} as const satisfies EnvironmentVariable;
const SMTP_TLS = {
  name: "SMTP_TLS",
  required: false,
  noRepositoryVariable: true,
  default: "required, but on this machine",
  description: "required: over smtp:// nothing is sent when the server has no TLS",
  allowed: { oneOf: ["required", "optional"] },
} as const satisfies EnvironmentVariable;
const timeout = wholeNumber({
  name: "SMTP_TIMEOUT_MS",
  default: 20_000,
  description: "longest wait for one answer of the mail server",
  unit: "milliseconds",
  least: 1000,
  most: 60_000,
});
const tries = wholeNumber({
  name: "MAIL_MAX_TRIES",
  default: 8,
  description: "tries after which a mail is given up",
  unit: "tries",
  least: 1,
  most: 20,
});

const optional = [MAIL_REPLY_TO, SMTP_TLS, ...timeout.variables, ...tries.variables];

/** For the job that delivers the outbox. */
export const mailEnvironment: EnvironmentSpec<WithMail> = {
  variables: [{ ...SMTP_URL, required: true }, { ...MAIL_FROM, required: true }, ...optional],
  parse: parseMail,
};

/**
 * For a job that writes mail: with `SMTP_URL` it delivers due mail at its end. Without it
 * notifications/deliver-outbox delivers.
 */
export const mailEnvironmentOptional: EnvironmentSpec<WithMail<MailSettings | undefined>> = {
  variables: [{ ...SMTP_URL, required: false }, { ...MAIL_FROM, required: false }, ...optional],
  parse: (env) =>
    present(env, SMTP_URL.name) === undefined
      ? { ok: true, settings: { mail: undefined }, secrets: [] }
      : parseMail(env),
};

function parseMail(env: Env): ParsedEnvironment<WithMail> {
  const problems: EnvironmentProblem[] = [];
  const report: Report = (variable, problem) => void problems.push({ variable, problem });
  const smtp = smtpOf(env, timeout.read(env, problems), report);
  const from = addressOf(env, MAIL_FROM.name, report);
  if (present(env, MAIL_FROM.name) === undefined) report(MAIL_FROM.name, "is missing or empty");
  const replyTo = addressOf(env, MAIL_REPLY_TO.name, report);
  const maxTries = tries.read(env, problems);
  if (problems.length > 0 || !smtp || !from) return { ok: false, problems };
  const { login } = smtp;
  return {
    ok: true,
    settings: { mail: { smtp, from, replyTo, maxTries } },
    secrets: [
      present(env, SMTP_URL.name) ?? "",
      ...(login ? credentials(login.user, login.password) : []),
    ].filter((secret) => secret !== ""),
  };
}

/** Settings of the job that delivers the outbox. */
interface DeliverySettings extends WithMail {
  /** Whether it writes the mails to payees whose account was refused. */
  mailRefusedAccounts: boolean;
}

export const refusedAccountsEnvironment = environmentOf<
  Pick<DeliverySettings, "mailRefusedAccounts">
>({
  mailRefusedAccounts: yesOrNo({
    name: "MAIL_REFUSED_ACCOUNTS",
    default: "no",
    description: "whether a payee whose account was refused gets a mail about it",
  }),
});

export const deliveryEnvironment = combineEnvironments(mailEnvironment, refusedAccountsEnvironment);

type Report = (variable: string, problem: string) => void;

function smtpOf(env: Env, timeoutMs: number, report: Report): SmtpSettings | undefined {
  const mode = present(env, SMTP_TLS.name);
  if (mode !== undefined && mode !== "required" && mode !== "optional") {
    report(SMTP_TLS.name, "expected required or optional");
  }
  const text = present(env, SMTP_URL.name);
  if (text === undefined) {
    report(SMTP_URL.name, "is missing or empty");
    return undefined;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secure = url?.protocol === "smtps:";
  if (!url || !(secure || url.protocol === "smtp:") || url.hostname === "") {
    report(
      SMTP_URL.name,
      "expected a URL like smtps://host:465, with user and password before the host",
    );
    return undefined;
  }
  if (url.search || url.hash || url.pathname.length > 1) {
    report(SMTP_URL.name, "expected nothing behind the port");
    return undefined;
  }
  if (![url.username, url.password].every(isDecodable)) {
    report(SMTP_URL.name, "has a % that encodes nothing; write it as %25");
    return;
  }
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if ((user === "") !== (password === "")) {
    report(SMTP_URL.name, "has a user or a password without the other");
    return undefined;
  }
  const isHere = isLoopbackHost(url.hostname);
  const unlessTold = isHere ? "optional" : "required";
  if (!secure && mode === "optional") {
    const setting = `${SMTP_TLS.name}=optional`;
    const instead = `${SMTP_TLS.name}=required or smtps://`;
    const problem = plaintextProblem(env, { host: url.hostname, setting, instead });
    if (problem !== undefined) report(SMTP_TLS.name, problem);
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    tls: secure ? "implicit" : mode === "optional" || mode === "required" ? mode : unlessTold,
    login: user === "" ? undefined : { user, password },
    timeoutMs,
  };
}

const ADDRESS =
  /^(?:(?<name>"[^"<>\p{Cc}]*"\s*|[^"<>\p{Cc}]*)<)?(?<address>[^\s<>@,;]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)>?$/iu;

function addressOf(env: Env, variable: string, report: Report): MailAddress | undefined {
  const text = present(env, variable);
  if (text === undefined) return undefined;
  const found = ADDRESS.exec(text)?.groups;
  const address = found?.["address"];
  if (address === undefined || text.includes("<") !== text.endsWith(">")) {
    report(variable, "expected an address, or a name and an address as Name <address>");
    return undefined;
  }
  return { name: found?.["name"]?.trim().replaceAll('"', "") ?? "", address };
}
