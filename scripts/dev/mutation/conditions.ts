/** A piece of a statement's text: from `start` up to `end`. */
interface Span {
  start: number;
  end: number;
}

/** One condition of a WHERE, or one inside of it: of a subquery, or of an alternative. */
export interface Condition extends Span {
  text: string;
  /** The replacement of a removed condition: a removed alternative of an OR never holds. */
  without: "TRUE" | "FALSE";
}

/**
 * Every condition of a statement: the conjuncts of each WHERE, and within them those of subqueries, the
 * alternatives of an OR, and the conditions of each alternative. `sql` has the same length as the text in the
 * source; an interpolated value is a run of `HOLE`.
 */
export function conditionsOf(sql: string): Condition[] {
  const masked = mask(sql);
  const found: Condition[] = [];
  for (const body of whereBodies(masked)) {
    for (const span of splitAt(masked, body, "AND")) {
      found.push(condition(sql, span), ...alternativesOf(sql, masked, span));
    }
  }
  return found.toSorted((a, b) => a.start - b.start || b.end - a.end);
}

/** The conjuncts of a text that is one condition, such as a fragment that statements share. */
export function conjunctsOf(sql: string): Condition[] {
  const masked = mask(sql);
  const whole = inParentheses(masked, trim(masked, { start: 0, end: sql.length }));
  const own = splitAt(masked, whole, "AND").flatMap((span) => [
    condition(sql, span),
    ...alternativesOf(sql, masked, span),
  ]);
  return [...own, ...conditionsOf(sql)].toSorted((a, b) => a.start - b.start || b.end - a.end);
}

/** Replaces an interpolated value of the source: a letter of a word, so that it splits nothing. */
export const HOLE = "\u00a4";

/** Blanks comments and quoted text, which may hold words that mean something elsewhere. */
export function mask(sql: string): string {
  return sql.replace(/--[^\n]*|'(?:[^']|'')*'|"[^"]*"/g, (text) =>
    text.startsWith("--") ? " ".repeat(text.length) : "_".repeat(text.length),
  );
}

const CLAUSE =
  /^(?:GROUP|ORDER|LIMIT|OFFSET|RETURNING|FOR|HAVING|WINDOW|UNION|EXCEPT|INTERSECT|DO|ON)\b/i;

/** The text after each WHERE up to the next clause, except for FILTER (WHERE …) and ON CONFLICT … WHERE. */
function whereBodies(masked: string): Span[] {
  const bodies: Span[] = [];
  for (const { index } of masked.matchAll(/\bWHERE\b/gi)) {
    const before = masked.slice(0, index).trimEnd();
    if (/\bFILTER\s*\($/i.test(before)) continue;
    const start = index + "WHERE".length;
    const end = endOfClause(masked, start);
    // The index that ON CONFLICT means, not a condition on a row.
    if (/^DO\b/i.test(masked.slice(end))) continue;
    bodies.push(trim(masked, { start, end }));
  }
  return bodies;
}

function endOfClause(masked: string, start: number): number {
  let depth = 0;
  for (let at = start; at < masked.length; at++) {
    const char = masked.charAt(at);
    if (char === "(") depth++;
    else if (char === ")" && --depth < 0) return at;
    else if (depth === 0 && isWordStart(masked, at) && CLAUSE.test(masked.slice(at))) return at;
  }
  return masked.length;
}

/** Splits at a word outside of parentheses. The AND of a BETWEEN is no such word. */
function splitAt(masked: string, { start, end }: Span, word: "AND" | "OR"): Span[] {
  const parts: Span[] = [];
  let depth = 0;
  let from = start;
  let between = false;
  for (let at = start; at < end; at++) {
    const char = masked.charAt(at);
    if (char === "(") depth++;
    else if (char === ")") depth--;
    if (depth !== 0 || !isWordStart(masked, at)) continue;
    const rest = masked.slice(at, end);
    if (/^BETWEEN\b/i.test(rest)) between = true;
    else if (new RegExp(`^${word}\\b`, "i").test(rest)) {
      if (word === "AND" && between) between = false;
      else {
        parts.push(trim(masked, { start: from, end: at }));
        from = at + word.length;
      }
    }
  }
  return [...parts, trim(masked, { start: from, end })];
}

/** Of `(a AND b OR c)`: `a AND b` and `c`, each left out, and a and b, each of which may always hold. */
function alternativesOf(sql: string, masked: string, conjunct: Span): Condition[] {
  const alternatives = splitAt(masked, inParentheses(masked, conjunct), "OR");
  if (alternatives.length < 2) return [];
  return alternatives.flatMap((alternative) => {
    const parts = splitAt(masked, alternative, "AND");
    return [
      condition(sql, alternative, "FALSE"),
      ...(parts.length < 2 ? [] : parts.map((span) => condition(sql, span))),
    ];
  });
}

/** The text within the parentheses around all of a span; the span itself when there are none. */
function inParentheses(masked: string, span: Span): Span {
  if (masked.charAt(span.start) !== "(" || masked.charAt(span.end - 1) !== ")") return span;
  let depth = 0;
  for (let at = span.start; at < span.end; at++) {
    if (masked.charAt(at) === "(") depth++;
    if (masked.charAt(at) === ")" && --depth === 0 && at < span.end - 1) return span;
  }
  return trim(masked, { start: span.start + 1, end: span.end - 1 });
}

function isWordStart(text: string, at: number): boolean {
  return /\w/.test(text.charAt(at)) && !/[\w.$\u00a4]/.test(text.charAt(at - 1));
}

function trim(text: string, { start, end }: Span): Span {
  while (start < end && /\s/.test(text.charAt(start))) start++;
  while (end > start && /\s/.test(text.charAt(end - 1))) end--;
  return { start, end };
}

function condition(sql: string, span: Span, without: Condition["without"] = "TRUE"): Condition {
  return { ...span, text: sql.slice(span.start, span.end).replace(/\s+/g, " "), without };
}
