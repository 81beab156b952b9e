/**
 * The part of GitHub's expression language that our workflows use: contexts, strings in single quotes,
 * `!`, `==`, `!=`, `&&`, `||`, `format()` and `always()`. Anything else is an error, so that no workflow uses
 * what its tests do not understand.
 */
export type Value = string | number | boolean | null;
export interface Contexts {
  readonly [name: string]: Value | Contexts;
}

/** A text with each `${{ … }}` in it replaced by its value; null becomes nothing. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
    String(evaluate(expression, contexts) ?? ""),
  );
}

/** @throws {SyntaxError} on what it does not know, naming the expression */
export function evaluate(expression: string, contexts: Contexts): Value {
  const tokens = tokensOf(expression);
  const unknown = (): never => {
    throw new SyntaxError(`not an expression that these tests know: ${expression.trim()}`);
  };
  const take = (token: string): boolean => {
    if (tokens[0] !== token) return false;
    tokens.shift();
    return true;
  };
  const expect = (token: string): void => {
    if (!take(token)) unknown();
  };

  const or = (): Value => {
    let value = and();
    while (take("||")) {
      const right = and();
      value = isTrue(value) ? value : right;
    }
    return value;
  };
  const and = (): Value => {
    let value = comparison();
    while (take("&&")) {
      const right = comparison();
      value = isTrue(value) ? right : value;
    }
    return value;
  };
  const comparison = (): Value => {
    const left = unary();
    if (take("==")) return isEqual(left, unary());
    return take("!=") ? !isEqual(left, unary()) : left;
  };
  const unary = (): Value => (take("!") ? !isTrue(unary()) : primary());
  const primary = (): Value => {
    if (take("(")) {
      const value = or();
      expect(")");
      return value;
    }
    const token = tokens.shift() ?? unknown();
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (token === "true" || token === "false") return token === "true";
    if (!/^[A-Za-z_]/.test(token)) return unknown();
    return take("(") ? call(token) : lookUp(token);
  };
  const call = (name: string): Value => {
    const values: Value[] = [];
    while (!take(")")) {
      if (values.length > 0) expect(",");
      values.push(or());
    }
    if (name === "always" && values.length === 0) return true;
    const [template, ...rest] = values;
    if (name !== "format" || typeof template !== "string") return unknown();
    return template.replace(/\{(\d+)\}/g, (_, index: string) => String(rest[Number(index)] ?? ""));
  };
  const lookUp = (path: string): Value => {
    const [context = "", ...properties] = path.split(".");
    if (contexts[context] === undefined || properties.length === 0) return unknown();
    let value: Value | Contexts = contexts[context];
    for (const property of properties) {
      value = typeof value === "object" && value !== null ? (value[property] ?? null) : null;
    }
    return typeof value === "object" && value !== null ? unknown() : value;
  };
  const isEqual = (left: Value, right: Value): boolean =>
    typeof left === "string" && typeof right === "string"
      ? left.toLowerCase() === right.toLowerCase()
      : typeof left === typeof right
        ? left === right
        : unknown();

  const value = or();
  return tokens.length === 0 ? value : unknown();
}

function tokensOf(expression: string): string[] {
  const token = /\s*('(?:[^']|'')*'|&&|\|\||==|!=|[!(),]|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)/y;
  const tokens: string[] = [];
  const text = expression.trim();
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text)?.[1];
    if (found === undefined) throw new SyntaxError(`not known in ${text}: ${text.slice(at)}`);
    tokens.push(found);
  }
  return tokens;
}

function isTrue(value: Value): boolean {
  return value !== null && value !== false && value !== "" && value !== 0;
}
