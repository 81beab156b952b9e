import pg from "pg";

type Parser = (text: string) => unknown;

const { builtins } = pg.types;
const asText = (text: string): string => text;
const asDay = (text: string): Date => instant(text, `${text}T00:00:00Z`);
const asUtcDate = (text: string): Date => instant(text, `${text.replace(" ", "T")}Z`);

function instant(text: string, iso: string): Date {
  const date = new Date(iso);
  if (!Number.isNaN(date.getTime())) return date;
  throw new RangeError(`a time that no Date can hold: ${text}`);
}

const withZone = pg.types.getTypeParser(builtins.TIMESTAMPTZ) as (text: string) => unknown;
const asInstant = (text: string): Date => {
  const date = withZone(text);
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date;
  throw new RangeError(`a time that no Date can hold: ${text}`);
};

/** `pg` gives 64-bit numbers as text, and takes a date for one of this machine's zone. */
const SCALARS: readonly { oid: number; ofArray: number; parse: Parser }[] = [
  { oid: builtins.INT8, ofArray: 1016, parse: BigInt },
  { oid: builtins.NUMERIC, ofArray: 1231, parse: asText },
  { oid: builtins.DATE, ofArray: 1182, parse: asDay },
  { oid: builtins.TIMESTAMP, ofArray: 1115, parse: asUtcDate },
  { oid: builtins.TIMESTAMPTZ, ofArray: 1185, parse: asInstant },
];

/** Its types say that this is a function. */
const arrays = pg.types.arrayParser as unknown as {
  create: (text: string, parse: Parser) => { parse: () => unknown[] };
};

const PARSERS = new Map<number, Parser>(
  SCALARS.flatMap(({ oid, ofArray, parse }): [number, Parser][] => [
    [oid, parse],
    [ofArray, (text) => arrays.create(text, parse).parse()],
  ]),
);

/**
 * Converts a column's text: `bigint` to a bigint, `numeric` to its text, dates and times to a `Date` in UTC, and
 * arrays of these.
 *
 * @throws {RangeError} for a time that is no `Date`, such as `infinity`: the statement that read it fails
 */
export const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) =>
  (format === "binary" ? undefined : PARSERS.get(oid)) ??
  (pg.types.getTypeParser(oid, format) as Parser);
