import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { conditionsOf, conjunctsOf, HOLE, mask, type Condition } from "./conditions.ts";

/** One condition of a claiming statement, and the source without it. */
export interface Mutant {
  /** Names it in reports and exemptions: `lib/payouts/state/held.ts isClaimedBy: status = 'PROCESSING'`. */
  id: string;
  file: string;
  line: number;
  condition: string;
  /** In the source of the file. */
  start: number;
  end: number;
  replacement: string;
}

interface Claims {
  statements: number;
  mutants: readonly Mutant[];
  /** Parts of the source that this reader cannot check. */
  problems: readonly string[];
}

/** Columns for the state of a row, or for its holder. */
const STATE =
  /\b(?:status|state|claimed_by|claim_fence|claimed_at|fence|owner|expires_at|released_at|resolved_at|tries|reverses_id|payee_id)\b|_id\s+IS\s+(?:NOT\s+)?NULL/i;

/** Conditions that only say which row is meant, or how a subquery belongs to its row. */
const NAMES_THE_ROW = new RegExp(
  `^(?:\\w+\\.)?(?:id|key|(?!provider_payout_id)\\w+_(?:id|ref|reference))\\s*(?:=\\s*(?:ANY\\s*\\(.*\\)|[${HOLE}\\w.$]+(?:::\\w+)?)|IN\\s*\\(.*\\))$`,
  "is",
);

/** How constants and functions are called that are conditions on a row. */
const FRAGMENT = /^(?:[A-Z_]+|(?:is|has)[A-Z]\w*)$/;

const WRITES = /\b(?:UPDATE\s+\w+|DELETE\s+FROM|INSERT\s+INTO)\b/i;
const CHOOSES = /\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b|\bNOT\s+EXISTS\b/i;

/** Reads the claiming statements of files and folders, given relative to `root`. */
export function readClaims(root: string, scope: readonly string[]): Claims {
  const files = scope.flatMap((path) => sourceFiles(join(root, path))).toSorted();
  const sources = files.map((path) => {
    const text = readFileSync(path, "utf8");
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return { file: relative(root, path), tree, texts: textsOf(tree) };
  });

  const shared = new Set<string>();
  const problems: string[] = [];
  const mutants: Mutant[] = [];
  let statements = 0;
  for (const { file, tree, texts } of sources) {
    if (/\.(?:updateMany|deleteMany|updateManyAndReturn|upsert)\(/.test(tree.text)) {
      problems.push(`${file}: changes rows without SQL, so that its conditions can't be seen`);
    }
    for (const statement of texts) {
      const found = isLua(statement) ? luaConditions(statement.sql) : claimingConditions(statement);
      if (found === undefined) continue;
      if (found.length === 0) {
        problems.push(`${file} ${statement.owner}: a statement that changes rows has no condition`);
        continue;
      }
      statements++;
      for (const { name, at } of statement.holes) {
        if (found.some(({ start, end }) => start <= at && at < end)) shared.add(name);
      }
      mutants.push(...found.map((condition) => toMutant(file, tree, statement, condition)));
    }
  }
  // Conditions that claiming statements share under a name.
  for (const { file, tree, texts } of sources) {
    for (const fragment of texts.filter(({ owner, sql }) => shared.has(owner) && !isWhole(sql))) {
      const all = conjunctsOf(fragment.sql);
      // A fragment of one condition is a condition, even if it has the form of a name: `IS_HELD`.
      const found = all.length === 1 ? all : all.filter((each) => !namesTheRow(each.text));
      mutants.push(...found.map((condition) => toMutant(file, tree, fragment, condition)));
    }
  }
  return { statements, mutants: numbered(mutants), problems };
}

/** The source without the condition. */
export function mutate(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

interface SqlText {
  /** The function or constant that holds it. */
  owner: string;
  /** As long as in the source, with holes where a value is interpolated. */
  sql: string;
  start: number;
  /** Names of constants, and of functions whose result, that are put into it, and where. */
  holes: readonly { name: string; at: number }[];
}

function claimingConditions(text: SqlText): Condition[] | undefined {
  const { sql } = text;
  const plain = mask(sql);
  const isWrite = isWhole(sql) && WRITES.test(plain);
  const chooses = CHOOSES.test(plain) || text.holes.some(({ name }) => name.startsWith("HAS_"));
  if (!isWrite && !chooses) return undefined;
  if (!isWhole(sql)) return undefined;
  const all = conditionsOf(sql);
  // An UPDATE or DELETE must say which rows; an INSERT of values has nothing to say.
  if (all.length === 0) return /^\s*(?:UPDATE|DELETE)\b/i.test(plain) ? [] : undefined;
  const isShared = text.holes.some(({ name }) => FRAGMENT.test(name));
  if (!isShared && !all.some((each) => STATE.test(each.text) && !namesTheRow(each.text))) {
    return undefined;
  }
  return all.filter(({ text: condition }) => !namesTheRow(condition));
}

/** `id IN (SELECT … WHERE released_at IS NULL)` names rows; its own conditions are found for themselves. */
function namesTheRow(condition: string): boolean {
  return NAMES_THE_ROW.test(condition);
}

function isWhole(sql: string): boolean {
  return /^\s*(?:SELECT|UPDATE|DELETE|INSERT|WITH)\b/i.test(sql);
}

/** Scripts that Redis runs: they decide which owner may extend or free a lock, and whether it is free. */
function isLua({ sql }: SqlText): boolean {
  return sql.includes("redis.call(");
}

function luaConditions(script: string): Condition[] {
  const checks = [...script.matchAll(/(?<=\bif )redis\.call\('GET'.*?(?= then)|, 'NX'/g)];
  return checks.map(({ 0: text, index }) => ({
    text,
    start: index,
    end: index + text.length,
    without: "TRUE",
  }));
}

function toMutant(
  file: string,
  tree: ts.SourceFile,
  { owner, start: offset }: SqlText,
  condition: Condition,
): Mutant {
  const { start, end } = condition;
  const at = offset + start;
  const source = tree.text.slice(at, offset + end).replace(/\s+/g, " ");
  return {
    id: `${file} ${owner}: ${condition.without === "FALSE" ? "or " : ""}${source}`,
    file,
    line: tree.getLineAndCharacterOfPosition(at).line + 1,
    condition: source,
    start: at,
    end: offset + end,
    replacement: replacementFor(condition),
  };
}

/** A numbered parameter stays in the statement, which would not take the values otherwise. */
function replacementFor({ text, without }: Condition): string {
  if (text === ", 'NX'") return "";
  if (text.startsWith("redis.call")) return "true";
  const parameters = [...new Set(text.match(/\$\d+/g) ?? [])];
  if (parameters.length === 0) return without;
  const unused = parameters.map((name) => `${name}::text IS NULL`).join(" OR ");
  return without === "TRUE" ? `(TRUE OR ${unused})` : `(FALSE AND (${unused}))`;
}

/** The same condition twice in a function is told apart by a number. */
function numbered(mutants: readonly Mutant[]): Mutant[] {
  const seen = new Map<string, number>();
  return mutants.map((mutant) => {
    const count = (seen.get(mutant.id) ?? 0) + 1;
    seen.set(mutant.id, count);
    return count === 1 ? mutant : { ...mutant, id: `${mutant.id} (${count})` };
  });
}

function textsOf(tree: ts.SourceFile): SqlText[] {
  const texts: SqlText[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      texts.push(textOf(node, tree));
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return texts;
}

function textOf(
  node: ts.TemplateExpression | ts.NoSubstitutionTemplateLiteral,
  tree: ts.SourceFile,
): SqlText {
  const start = node.getStart(tree) + 1;
  let sql = tree.text.slice(start, node.end - 1);
  const spans = ts.isTemplateExpression(node) ? node.templateSpans : [];
  for (const { expression, literal } of spans) {
    // From `${` to `}`.
    const from = expression.getFullStart() - 2 - start;
    const to = literal.getStart(tree) + 1 - start;
    sql = sql.slice(0, from) + HOLE.repeat(to - from) + sql.slice(to);
  }
  const holes = spans.flatMap(({ expression }) => {
    const named = ts.isCallExpression(expression) ? expression.expression : expression;
    return ts.isIdentifier(named)
      ? [{ name: named.text, at: expression.getStart(tree) - start }]
      : [];
  });
  return { owner: ownerOf(node), sql, start, holes };
}

function ownerOf(node: ts.Node): string {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at)) {
      return at.name?.getText() ?? "function";
    }
    if (ts.isVariableDeclaration(at) && isOfTheFile(at)) {
      return at.name.getText();
    }
  }
  return "file";
}

function isOfTheFile({ parent }: ts.VariableDeclaration): boolean {
  const statement: ts.Node = parent.parent;
  return ts.isVariableStatement(statement) && ts.isSourceFile(statement.parent);
}

function sourceFiles(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(path, name));
}
