import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Mailer } from "../../../lib/notifications/mailer.ts";
import type { TestDatabase } from "../../support/database.ts";
import { createReadyReader, createRequestReader, type Statement } from "./wire.ts";
import type { PaymentProvider, PayoutProvider } from "../../../lib/provider/index.ts";

/** On which side of its effect a step is met. */
export type Side = "before" | "after";

/** Told of each step, on both sides; true stops the process there. */
export type Watch = (step: string, side: Side) => boolean;

/** Names what a process does to the world outside of it. */
export interface Naming {
  /** The name of a commit, by the statements since BEGIN; undefined: no step. */
  commit(statements: readonly Statement[]): string | undefined;
  /** The name of a statement within a transaction; undefined: no step. Without it, none of them is one. */
  within?(statement: Statement): string | undefined;
  /** The name of a statement outside of a transaction; undefined: it writes nothing. */
  write(statement: Statement): string | undefined;
  /** The name of a call of the provider. */
  call(method: keyof PayoutProvider, argument: unknown): string;
  /** The name of a call of its payments side; a process that makes none needs none. */
  paymentsCall?(method: keyof PaymentProvider, argument: unknown): string;
}

/**
 * All that a process has of the world: a line to the database and one to the provider. Stopped, it is as
 * dead as after SIGKILL: nothing of it leaves any more, what it waits for never comes, and the server
 * rolls its open transaction back. What had left before arrives.
 */
export interface FakeProcess {
  /** The same database, over this process's line. */
  readonly database: Pick<TestDatabase, "url">;
  wrapGateway(gateway: PayoutProvider): PayoutProvider;
  wrapPayments(payments: PaymentProvider): PaymentProvider;
  /** To hand a mail over is the step `send`. */
  wrapMailer(mailer: Mailer): Mailer;
  /** Resolves when it was stopped, and rejects at a step without a name; else never. */
  readonly stopped: Promise<void>;
  /** Resolves once what had left before the stop has arrived. */
  arrived(): Promise<void>;
  /** Ends its line to the database. */
  close(): Promise<void>;
}

export async function startProcess(
  database: Pick<TestDatabase, "url">,
  { naming: given, watch }: { naming: Naming; watch: Watch },
): Promise<FakeProcess> {
  const target = new URL(database.url);
  const clients = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const calls = new Set<Promise<unknown>>();
  let isDead = false;
  let tellStopped = (): void => undefined;
  let tellNameless: (error: unknown) => void = () => undefined;
  const stopped = new Promise<void>((resolve, reject) => {
    tellStopped = resolve;
    tellNameless = reject;
  });
  // Whoever looks is told; nobody has to look.
  stopped.catch(() => undefined);
  /** An error thrown in a socket's handler, or in a job that catches it, would be heard by nobody. */
  const named = <T>(name: () => T): T => {
    try {
      return name();
    } catch (error) {
      tellNameless(error);
      throw error;
    }
  };
  const naming: Naming = {
    commit: (statements) => named(() => given.commit(statements)),
    write: (statement) => named(() => given.write(statement)),
    within: (statement) => named(() => given.within?.(statement)),
    call: (method, argument) => named(() => given.call(method, argument)),
    paymentsCall: (method, argument) =>
      named(() => given.paymentsCall?.(method, argument) ?? method),
  };

  /** True when the process is dead by now. */
  const meets = (step: string, side: Side): boolean => {
    if (isDead || !watch(step, side)) return isDead;
    isDead = true;
    for (const upstream of upstreams) upstream.destroy();
    tellStopped();
    return true;
  };

  const server = createServer((client) => {
    clients.add(client);
    client.on("error", () => client.destroy());
    if (isDead) return;
    const upstream = connect(Number(target.port), target.hostname);
    upstreams.add(upstream);
    upstream.on("error", () => upstream.destroy());
    // A dead process notices nothing: its side of the line stays open, and silent.
    upstream.on("close", () => {
      if (!isDead) client.destroy();
    });
    client.on("close", () => upstream.destroy());
    watchSession({ client, upstream, naming, meets, isDead: () => isDead });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(database.url);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);

  const call = async <T>(step: string, make: () => Promise<T>): Promise<T> => {
    if (isDead || meets(step, "before")) return never<T>();
    const made = make();
    calls.add(made);
    const answer = await made.finally(() => calls.delete(made));
    return meets(step, "after") ? never<T>() : answer;
  };

  return {
    database: { url: url.href },
    stopped,
    arrived: async () => {
      await Promise.allSettled(calls);
    },
    wrapGateway: (gateway) => watchCalls(gateway, { naming, call }),
    wrapPayments: (payments) => watchPayments(payments, { naming, call }),
    wrapMailer: (mailer) => ({
      sendAtMostMs: mailer.sendAtMostMs,
      close: () => mailer.close(),
      send: (mail, options) => call("send", () => mailer.send(mail, options)),
    }),
    close: async () => {
      isDead = true;
      for (const socket of [...clients, ...upstreams]) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Passes a session on, request by request, and stops it around a step. */
function watchSession({
  client,
  upstream,
  naming,
  meets,
  isDead,
}: {
  client: Socket;
  upstream: Socket;
  naming: Naming;
  meets: (step: string, side: Side) => boolean;
  isDead: () => boolean;
}): void {
  const requestsOf = createRequestReader();
  const isReady = createReadyReader();
  const stepOf = createSteps(naming);
  let underWay: string | undefined;
  client.on("data", (bytes) => {
    for (const { bytes: request, statement } of requestsOf(bytes)) {
      const step = statement === undefined ? undefined : stepOf(statement);
      if (isDead() || (step !== undefined && meets(step, "before"))) return;
      underWay = step;
      upstream.write(request);
    }
  });
  upstream.on("data", (bytes) => {
    if (isDead()) return;
    const step = underWay;
    if (isReady(bytes) && step !== undefined) {
      underWay = undefined;
      if (meets(step, "after")) return;
    }
    client.write(bytes);
  });
}

/** Which of a session's statements are steps: commits, and writes outside of a transaction. */
function createSteps(naming: Naming): (statement: Statement) => string | undefined {
  let transaction: Statement[] | undefined;
  return (statement) => {
    const word = statement.sql.trimStart().split(/[ ;]/, 1)[0]?.toUpperCase();
    if (word === "BEGIN") {
      transaction = [];
    } else if (word === "COMMIT" || word === "ROLLBACK") {
      const statements = transaction ?? [];
      transaction = undefined;
      return word === "COMMIT" ? naming.commit(statements) : undefined;
    } else if (transaction !== undefined) {
      transaction.push(statement);
      return naming.within?.(statement);
    } else {
      return naming.write(statement);
    }
    return undefined;
  };
}

function watchCalls(
  gateway: PayoutProvider,
  {
    naming,
    call,
  }: { naming: Naming; call: <T>(step: string, make: () => Promise<T>) => Promise<T> },
): PayoutProvider {
  const step = <T>(method: keyof PayoutProvider, argument: unknown, make: () => Promise<T>) =>
    call(naming.call(method, argument), make);
  return {
    accountNumber: gateway.accountNumber,
    accountKind: gateway.accountKind,
    requestsPerSecond: gateway.requestsPerSecond,
    createContact: (input, options) =>
      step("createContact", input, () => gateway.createContact(input, options)),
    createFundAccount: (input, options) =>
      step("createFundAccount", input, () => gateway.createFundAccount(input, options)),
    createPayout: (request, options) =>
      step("createPayout", request, () => gateway.createPayout(request, options)),
    fetchPayout: (id, options) => step("fetchPayout", id, () => gateway.fetchPayout(id, options)),
    findPayoutsByReference: (referenceId, options) =>
      step("findPayoutsByReference", referenceId, () =>
        gateway.findPayoutsByReference(referenceId, options),
      ),
    listPayouts: (filter, options) =>
      step("listPayouts", filter, () => gateway.listPayouts(filter, options)),
    cancelPayout: (id, options) =>
      step("cancelPayout", id, () => gateway.cancelPayout(id, options)),
    listTransactions: (filter, options) =>
      step("listTransactions", filter, () => gateway.listTransactions(filter, options)),
    balances: (options) => step("balances", undefined, () => gateway.balances(options)),
  };
}

function watchPayments(
  payments: PaymentProvider,
  {
    naming,
    call,
  }: { naming: Naming; call: <T>(step: string, make: () => Promise<T>) => Promise<T> },
): PaymentProvider {
  const step = <T>(method: keyof PaymentProvider, argument: unknown, make: () => Promise<T>) =>
    call(naming.paymentsCall?.(method, argument) ?? method, make);
  return {
    fetchOrder: (id, options) => step("fetchOrder", id, () => payments.fetchOrder(id, options)),
    listOrderPayments: (id, options) =>
      step("listOrderPayments", id, () => payments.listOrderPayments(id, options)),
    annotateOrder: (id, notes, options) =>
      step("annotateOrder", id, () => payments.annotateOrder(id, notes, options)),
    fetchPayment: (id, options) =>
      step("fetchPayment", id, () => payments.fetchPayment(id, options)),
    createRefund: (request, options) =>
      step("createRefund", request, () => payments.createRefund(request, options)),
    fetchRefund: (id, options) => step("fetchRefund", id, () => payments.fetchRefund(id, options)),
    listRefunds: (id, options) => step("listRefunds", id, () => payments.listRefunds(id, options)),
    listAllRefunds: (window, options) =>
      step("listAllRefunds", window, () => payments.listAllRefunds(window, options)),
    listDisputes: (window, options) =>
      step("listDisputes", window, () => payments.listDisputes(window, options)),
    fetchDispute: (id, options) =>
      step("fetchDispute", id, () => payments.fetchDispute(id, options)),
  };
}

/** The answer that a dead process waits for. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
