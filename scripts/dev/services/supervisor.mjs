/**
 * Keeps one server process for a parent, and ends with that parent. It has its own session, so that Ctrl-C in a
 * terminal does not reach the server before the parent has finished its work. The closed channel shows that the
 * parent is gone, even after SIGKILL. Then it stops the server and removes the server's directories.
 *
 * From the parent: `{ start: { command, args, cwd, env, uid, gid, logFile } }`, `{ signal }`, `{ stop: true }`.
 * To the parent: `{ started: pid }`, `{ exited: { code, signal } }`, `{ failed: message }`.
 *
 * Arguments: the signals that stop the server, gentlest first, as `SIGINT,SIGQUIT`; then the directories to
 * remove at the end.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";

/** How long the server has to obey one signal before it gets the next, harder one. */
const PATIENCE_MS = 10_000;

const [signals, ...directories] = process.argv.slice(2);
let server;
let ending = false;

process.on("message", (message) => {
  if (message.start) start(message.start);
  else if (message.signal) server?.kill(message.signal);
  else if (message.stop) end();
});
process.on("disconnect", end);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, end);

function start({ command, args, cwd, env, uid, gid, logFile }) {
  if (ending) return;
  const log = openSync(logFile, "a", 0o600);
  const ids = uid === undefined ? {} : { uid, gid };
  server = spawn(command, args, { cwd, env, ...ids, stdio: ["ignore", log, log] });
  closeSync(log);
  const started = server;
  started.once("spawn", () => tell({ started: started.pid }));
  started.once("error", (error) => {
    if (started.pid !== undefined) return;
    server = undefined;
    tell({ failed: error.message });
  });
  started.once("exit", (code, signal) => {
    server = undefined;
    tell({ exited: { code, signal } });
  });
}

async function end() {
  if (ending) return;
  ending = true;
  for (const signal of [...signals.split(","), "SIGKILL"]) {
    if (!server) break;
    await exitAfter(signal);
  }
  for (const directory of directories) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  process.exit(0);
}

function exitAfter(signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    server.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    server.kill(signal);
  });
}

function tell(message) {
  if (process.connected) process.send(message, () => {});
}
