import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatabaseError } from "pg";
import { inPages, tryRow } from "../../../lib/db/rows.ts";
import { LeaseLostError } from "../../../lib/support/lease.ts";
import { silentLog } from "../../../lib/support/log.ts";

describe("rows in pages", () => {
  it("are each read once, in order, at most so many, and with no page after the last", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(30),
        fc.nat(40),
        fc.integer({ min: 1, max: 7 }),
        async (rows, most, size) => {
          const all = Array.from({ length: rows }, (_, index) => index);
          let pages = 0;
          const readPage = ({
            after = -1,
            count,
          }: {
            after: number | undefined;
            count: number;
          }) => {
            pages += 1;
            return Promise.resolve(all.filter((row) => row > after).slice(0, count));
          };
          const read: number[] = [];
          for await (const row of inPages<number>(readPage, { most, size })) read.push(row);
          expect(read).toEqual(all.slice(0, most));
          expect(pages).toBeLessThanOrEqual(Math.ceil(Math.min(most, rows + 1) / size));
        },
      ),
    );
  });
});

describe("one row of many", () => {
  const options = { log: silentLog(), row: { id: 1 }, failed: "not written" };
  const raised = (code: string): DatabaseError =>
    Object.assign(new DatabaseError("raised", 0, "error"), { code, severity: "ERROR" });
  const attempt = (error: Error) => tryRow(() => Promise.reject(error), options);

  it("gives the result of its work", async () => {
    const result = await tryRow(() => Promise.resolve(7), options);
    expect(result).toEqual({ kind: "done", value: 7 });
  });

  it.each([
    ["55P03", "locked"],
    ["40P01", "locked"],
    ["23505", "failed"],
  ])("keeps an error with SQLSTATE %s to itself, as %s", async (code, kind) => {
    const error = raised(code);
    expect(await attempt(error)).toEqual({ kind, error });
  });

  it.each([
    ["a missing right", raised("42501")],
    ["a read-only database", raised("25006")],
    ["a lost connection", new Error("Connection terminated unexpectedly")],
    ["a lost lease", new LeaseLostError("payouts")],
  ])("throws %s, which the next row would meet as well", async (_, error) => {
    await expect(attempt(error)).rejects.toBe(error);
  });
});
