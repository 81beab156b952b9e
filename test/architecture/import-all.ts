import { Socket } from "node:net";
import { pathToFileURL } from "node:url";

/**
 * Run as a program: imports each file that is named on its command line, and prints as JSON what our
 * own code did meanwhile that it should not do before it is called.
 */
const root = pathToFileURL(`${process.cwd()}/`).href;

export interface ImportReport {
  imported: number;
  /** `file: VARIABLE` */
  environmentReads: string[];
  timers: string[];
  connections: string[];
  signalHandlers: string[];
  /** What would keep the process running. */
  resources: string[];
}

const report: ImportReport = {
  imported: 0,
  environmentReads: [],
  timers: [],
  connections: [],
  signalHandlers: [],
  resources: [],
};

/** The file of ours that called the function which called this one; none for a package. */
function ourCaller(): string | undefined {
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  const caller = frames.find((frame) => !/import-all|\(node:|<anonymous>/.test(frame)) ?? "";
  const isOurs = /\/(lib|jobs)\//.test(caller) && !/node_modules/.test(caller);
  return isOurs ? caller.slice(caller.indexOf(root) + root.length).replace(/\)$/, "") : undefined;
}

const environment = process.env;
const note = (name: string | symbol): void => {
  const file = ourCaller();
  if (file !== undefined && typeof name === "string")
    report.environmentReads.push(`${file}: ${name}`);
};
process.env = new Proxy(environment, {
  get(target, name) {
    note(name);
    return Reflect.get(target, name) as unknown;
  },
  has(target, name) {
    note(name);
    return Reflect.has(target, name);
  },
  ownKeys(target) {
    note("(all)");
    return Reflect.ownKeys(target);
  },
});

for (const name of ["setTimeout", "setInterval", "setImmediate"] as const) {
  const original = globalThis[name] as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    const file = ourCaller();
    if (file !== undefined) report.timers.push(`${file}: ${name}`);
    return original(...args);
  };
  Object.assign(globalThis, { [name]: Object.assign(watched, original) });
}

const connect = Reflect.get(Socket.prototype, "connect") as (...args: unknown[]) => Socket;
Reflect.set(Socket.prototype, "connect", function (this: Socket, ...args: unknown[]): Socket {
  report.connections.push(JSON.stringify(args[0]));
  return connect.apply(this, args);
});

const listenersBefore = process.eventNames().map(String);
const resourcesBefore = process.getActiveResourcesInfo();

for (const file of process.argv.slice(2)) {
  await import(new URL(file, root).href);
  report.imported += 1;
}

report.signalHandlers = process
  .eventNames()
  .map(String)
  .filter((name) => name.startsWith("SIG") && !listenersBefore.includes(name));
const left = [...process.getActiveResourcesInfo()];
for (const name of resourcesBefore) {
  if (left.includes(name)) left.splice(left.indexOf(name), 1);
}
report.resources = left;
process.stdout.write(JSON.stringify(report));
