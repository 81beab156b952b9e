import { storable } from "../support/storable.ts";

/** A piece of a statement, to be put into a larger one. Values in it stay parameters. */
export class SqlPart {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];

  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.strings = strings;
    this.values = values;
  }
}

/** Writes a piece of a statement; each `${}` is a parameter, or another piece. */
export function sql(strings: readonly string[], ...values: unknown[]): SqlPart {
  return new SqlPart(strings, values);
}

/**
 * The text that goes to PostgreSQL, with `$1`, `$2`, … for the parameters.
 *
 * @throws {TypeError} for an `undefined`, which would reach PostgreSQL as NULL and match nothing, or all
 */
export function toStatement(part: SqlPart): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  let text = "";
  const append = ({ strings, values: given }: SqlPart): void => {
    strings.forEach((string, index) => {
      text += string;
      if (index >= given.length) return;
      const value = given[index];
      if (value instanceof SqlPart) append(value);
      else if (value === undefined) {
        throw new TypeError(`a value is undefined after: ${text.trimEnd().slice(-80)}`);
      } else text += `$${values.push(toParameter(value))}`;
    });
  };
  append(part);
  return { text, values };
}

/** `pg` would write a time in this machine's own zone, with its offset; a column without a zone drops that. */
function toParameter(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string") return storable(value);
  if (value === undefined) throw new TypeError("a value in a list is undefined");
  return Array.isArray(value) ? value.map(toParameter) : value;
}
