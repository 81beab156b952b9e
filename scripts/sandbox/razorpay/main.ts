import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { errorCode, toError } from "../../../lib/support/errors.ts";
import type { CallRecord } from "./calls.ts";
import type { Sandbox, SandboxOptions } from "./sandbox.ts";
import { SANDBOX_DEFAULTS, startSandbox } from "./sandbox.ts";
import { newCommand, readerLost } from "../../cli/frame/command-line.ts";

const DEFAULT_PORT = 4577;
const EXIT = { ok: 0, failed: 1, misused: 2 } as const;

interface Flags {
  port: number;
  balance: number;
  keyId: string;
  keySecret: string;
  accountNumber: string;
  accountKind: "lite" | "current";
  settleAfter: number;
  nullAsText?: true;
  refusalUsesKey?: true;
  verbose?: true;
}

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const command = createCommand();
  try {
    command.parse(argv);
  } catch (thrown) {
    // Commander has already printed the problem, or the help.
    const isHelp = thrown instanceof CommanderError && thrown.exitCode === 0;
    return isHelp ? EXIT.ok : EXIT.misused;
  }
  return await serve(command.opts<Flags>());
}

async function serve(flags: Flags): Promise<number> {
  const stopped = stopSignal();
  let sandbox: Sandbox;
  try {
    sandbox = await startSandbox(optionsOf(flags));
  } catch (thrown) {
    console.error(`sandbox: ${describeStartFailure(thrown, flags.port)}`);
    return EXIT.failed;
  }
  console.log(greeting(sandbox));
  await Promise.race([stopped, readerLost]);
  await sandbox.close();
  return EXIT.ok;
}

function createCommand(): Command {
  return newCommand("sandbox")
    .description(
      "A RazorpayX that runs on this machine: it keeps the documented rules of contacts, fund\n" +
        "accounts and payouts, and of Razorpay's orders, payments and refunds. It moves no money,\n" +
        "forgets everything when it stops, and can be told to fail. It listens on 127.0.0.1 only.\n" +
        "See docs/sandbox.md.",
    )
    .option("--port <number>", "port to listen on; 0 picks a free one", toPort, DEFAULT_PORT)
    .option(
      "--balance <paise>",
      "opening balance of the account, in paise",
      toWholeNumber,
      SANDBOX_DEFAULTS.balancePaise,
    )
    .option("--key-id <id>", "key id that callers must send", toText, SANDBOX_DEFAULTS.keyId)
    .option("--key-secret <secret>", "its secret", toText, SANDBOX_DEFAULTS.keySecret)
    .option(
      "--account-number <number>",
      "our own account, from which payouts leave",
      toText,
      SANDBOX_DEFAULTS.accountNumber,
    )
    .addOption(
      new Option("--account-kind <kind>", "lite: fees leave with each payout; current: apart")
        .choices(["lite", "current"])
        .default("lite"),
    )
    .option(
      "--settle-after <ms>",
      "how long a payout stays in processing, a refund in pending; 0: until next asked about",
      toWholeNumber,
      SANDBOX_DEFAULTS.settleAfterMs,
    )
    .option("--null-as-text", 'answer absent utr, step and reason as the text "null"')
    .option("--refusal-uses-key", "a refused payout uses its idempotency key up")
    .option("--verbose", "print method, path and status of each call")
    .allowExcessArguments(false)
    .showHelpAfterError("(--help lists the options)")
    .exitOverride();
}

function optionsOf(flags: Flags): SandboxOptions {
  return {
    port: flags.port,
    balancePaise: flags.balance,
    keyId: flags.keyId,
    keySecret: flags.keySecret,
    accountNumber: flags.accountNumber,
    accountKind: flags.accountKind,
    settleAfterMs: flags.settleAfter,
    nullAsText: flags.nullAsText ?? false,
    refusalUsesKey: flags.refusalUsesKey ?? false,
    ...(flags.verbose ? { onCall: printCall } : {}),
  };
}

function greeting({ url, env }: Sandbox): string {
  return [
    `RazorpayX sandbox on ${url}`,
    "",
    ...Object.entries(env).map(([name, value]) => `export ${name}=${shellQuoted(value)}`),
    "",
    `Control it under ${url}/__sandbox (docs/sandbox.md). Stop it with Ctrl-C.`,
  ].join("\n");
}

function printCall({ method, path, status }: CallRecord): void {
  console.log(`${method} ${path} ${status}`);
}

function describeStartFailure(thrown: unknown, port: number): string {
  const code = errorCode(thrown);
  if (code === "EADDRINUSE")
    return `port ${port} is in use: choose another with --port, or --port 0 for a free one`;
  if (code === "EACCES")
    return `port ${port} may not be used by this user: choose one above 1023 with --port`;
  return toError(thrown).message;
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

function toPort(text: string): number {
  const port = toWholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

function toWholeNumber(text: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value))
    throw new InvalidArgumentError("Expected a whole number, zero or more.");
  return value;
}

function toText(text: string): string {
  if (text === "") throw new InvalidArgumentError("Expected a text that is not empty.");
  return text;
}

function shellQuoted(text: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
