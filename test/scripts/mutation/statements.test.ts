import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { mutate, readClaims } from "../../../scripts/dev/mutation/statements.ts";

/** The conditions in a source file, each with what stands for it once it is removed. */
function conditions(source: string): { found: string[]; problems: readonly string[] } {
  const root = mkdtempSync(join(tmpdir(), "afterhours-claims-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "claims.ts"), source);
  const { mutants, problems } = readClaims(root, ["claims.ts"]);
  return {
    found: mutants.map(({ condition, replacement }) => `${condition} -> ${replacement}`),
    problems,
  };
}

it("finds the conditions of an update, of its subqueries and alternatives, and not the name of the row", () => {
  const { found } = conditions(`
    function claim(tx) {
      return tx.execute\`
        UPDATE payouts SET status = 'PROCESSING' -- AND not this
        WHERE id = \${id}::uuid AND tries < \${3} AND note <> 'a AND b'
          AND (status = 'APPROVED' AND organization_id IS NULL OR status = 'PENDING')
          AND NOT EXISTS (
            SELECT 1 FROM attempts WHERE attempts.payout_id = payouts.id AND state IN ('SENT'))
        RETURNING id\`;
    }`);
  expect(found).toEqual([
    "tries < ${3} -> TRUE",
    "note <> 'a AND b' -> TRUE",
    "(status = 'APPROVED' AND organization_id IS NULL OR status = 'PENDING') -> TRUE",
    "status = 'APPROVED' AND organization_id IS NULL -> FALSE",
    "status = 'APPROVED' -> TRUE",
    "organization_id IS NULL -> TRUE",
    "status = 'PENDING' -> FALSE",
    "NOT EXISTS ( SELECT 1 FROM attempts WHERE attempts.payout_id = payouts.id AND state IN ('SENT')) -> TRUE",
    "state IN ('SENT') -> TRUE",
  ]);
});

it("keeps a numbered parameter in the statement", () => {
  const { found } = conditions(
    "function extend(q) { return q(`UPDATE leases SET at = now() WHERE key = $1 AND owner = $2`); }",
  );
  expect(found).toEqual(["owner = $2 -> (TRUE OR $2::text IS NULL)"]);
});

it("follows a condition that statements share under a name", () => {
  const { found } = conditions(`
    export const IS_FREE = \`(e.status = 'READY' AND e.hold IS NULL)\`;
    function link(client) { return client.query(\`UPDATE earnings e SET x = 1 WHERE \${IS_FREE}\`); }`);
  expect(found).toEqual([
    "${IS_FREE} -> TRUE",
    "e.status = 'READY' -> TRUE",
    "e.hold IS NULL -> TRUE",
  ]);
});

it("follows a condition that a function makes, and takes one that is named HAS_ for a choice of rows", () => {
  const { found } = conditions(`
    const HAS_PAYMENT = sql\`EXISTS (SELECT 1 FROM payments WHERE state = 'PAID')\`;
    function isOwn(run) { return sql\`status = 'HELD' AND owner = \${run}\`; }
    function free(tx, run) { return tx.execute\`UPDATE seats SET \${to(run)} WHERE \${isOwn(run)}\`; }
    function due(tx) { return tx.query\`SELECT id FROM seats WHERE NOT \${HAS_PAYMENT}\`; }`);
  expect(found).toEqual([
    "${isOwn(run)} -> TRUE",
    "NOT ${HAS_PAYMENT} -> TRUE",
    "EXISTS (SELECT 1 FROM payments WHERE state = 'PAID') -> TRUE",
    "state = 'PAID' -> TRUE",
    "status = 'HELD' -> TRUE",
    "owner = ${run} -> TRUE",
  ]);
});

it("knows the scripts that Redis runs", () => {
  const { found } = conditions(
    "const FREE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end`;",
  );
  expect(found).toEqual(["redis.call('GET', KEYS[1]) == ARGV[1] -> true"]);
});

it("leaves alone what only reads, and the index that ON CONFLICT means", () => {
  const { found } = conditions(`
    function read(tx) {
      tx.query\`SELECT count(*) FILTER (WHERE status = 'A') FROM payouts WHERE status = 'B'\`;
      tx.execute\`
        INSERT INTO holds (kind) VALUES ('a') ON CONFLICT (kind) WHERE released_at IS NULL DO NOTHING\`;
    }`);
  expect(found).toEqual([]);
});

it("objects to a change of rows whose conditions it can't see", () => {
  const { problems } = conditions(`
    function all(tx) { return tx.execute\`UPDATE payouts SET status = 'FAILED'\`; }
    function client(db) { return db.payout.updateMany({ where: { id } }); }`);
  expect(problems).toEqual([
    "claims.ts: changes rows without SQL, so that its conditions can't be seen",
    "claims.ts all: a statement that changes rows has no condition",
  ]);
});

it("removes a condition and nothing else", () => {
  const source = "UPDATE t WHERE a = 1 AND b = 2";
  const mutant = { start: 15, end: 20, replacement: "TRUE" };
  expect(mutate(source, { id: "", file: "", line: 1, condition: "a = 1", ...mutant })).toBe(
    "UPDATE t WHERE TRUE AND b = 2",
  );
});
