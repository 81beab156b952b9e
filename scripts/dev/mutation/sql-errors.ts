import pg from "pg";
import { afterEach } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** SQLSTATE of each error that PostgreSQL answered during the test. */
    sqlStates?: string[];
  }
}

/** Code under test may handle an error of a statement, so that the test's own error does not show it. */
interface ErrorHandler {
  _handleErrorMessage(this: pg.Client, message: { code?: string }): unknown;
}
const client = pg.Client.prototype as unknown as ErrorHandler;
// eslint-disable-next-line @typescript-eslint/unbound-method -- called below with `this` as it came
const handle = client._handleErrorMessage;
let seen: string[] = [];

client._handleErrorMessage = function (message) {
  if (message.code !== undefined) seen.push(message.code);
  return handle.call(this, message);
};

afterEach(({ task }) => {
  task.meta.sqlStates = seen;
  seen = [];
});
