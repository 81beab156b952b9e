import fc from "fast-check";

/** A text with personal data in it, and parts of that data of which none may be left; as `compact` writes them. */
export interface PrivateText {
  text: string;
  parts: string[];
}

const digits = (least: number, most = least): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(...Array.from("0123456789")),
    minLength: least,
    maxLength: most,
  });
const upper = (count: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(...Array.from("ABCDEFGHJKLMNOPQRSTUVWXYZ")),
    minLength: count,
    maxLength: count,
  });

/** Scripts in which the same digits may be written. */
const script = fc.constantFrom(0x30, 0x30, 0x30, 0x966, 0x9e6, 0xff10, 0x660);
const inScript = (text: string, zero: number): string =>
  text.replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));

/** What an operator's eye passes over between two characters. */
const unseen = fc.constantFrom("", "", "", "\u200b", "\u200d", "\u2060", "\u00ad", "\ufeff");
const separator = fc.constantFrom(" ", "-", ".", "\u00a0", "\u2011", " - ", "\u2009");

const grouped = (sizes: readonly number[]): fc.Arbitrary<{ value: string; written: string }> =>
  fc
    .tuple(digits(sizes.reduce((sum, size) => sum + size, 0)), separator)
    .map(([value, between]) => {
      let from = 0;
      const groups = sizes.map((size) => value.slice(from, (from += size)));
      return { value, written: groups.join(between) };
    });

const plain = (least: number, most: number): fc.Arbitrary<{ value: string; written: string }> =>
  digits(least, most).map((value) => ({ value, written: value }));

const indianPhone = fc
  .tuple(
    fc.constantFrom("", "+91 ", "+91", "+91-", "0", "091", "0091 ", "(+91) "),
    fc.constantFrom("", " ", "-", "\u00a0"),
    fc.constantFrom("6", "7", "8", "9"),
    digits(9),
  )
  .map(([prefix, between, first, rest]) => {
    const value = first + rest;
    return { value, written: `${prefix}${value.slice(0, 5)}${between}${value.slice(5)}` };
  });

const number = fc.oneof(
  plain(9, 18),
  plain(19, 40),
  indianPhone,
  grouped([4, 4, 4]),
  grouped([4, 4, 4, 4]),
  grouped([4, 6, 5]),
  grouped([3, 3, 3, 3, 3]),
  grouped([5, 5]),
  plain(9, 18).map(({ value }) => ({ value, written: `9.${value}` })),
);

const hidden = fc
  .tuple(number, script, unseen, fc.nat(8))
  .map(([{ value, written }, zero, mark, at]) => ({
    written: inScript(`${written.slice(0, at)}${mark}${written.slice(at)}`, zero),
    // Any six digits in a row would say too much.
    parts: Array.from({ length: value.length - 5 }, (_, from) => value.slice(from, from + 6)),
  }));

const pan = fc
  .tuple(
    upper(5),
    digits(4),
    upper(1),
    fc.constantFrom("", "", " ", "-", "."),
    fc.constantFrom("", "", " ", "-"),
    unseen,
    fc.boolean(),
  )
  .map(([head, middle, last, first, second, mark, fullWidth]) => {
    const text = `${head}${first}${mark}${middle}${second}${last}`;
    const wide = text.replace(/[A-Z0-9]/g, (character) =>
      String.fromCodePoint(character.charCodeAt(0) + 0xfee0),
    );
    return {
      written: fullWidth ? wide : text,
      parts: [`${head}${middle}${last}`.toLowerCase()],
    };
  });

const address = fc
  .tuple(
    fc.constantFrom("ravi", "रवि", "asha.rao", "o'brien", "a+b", "9876501234", "x_1", "müller"),
    fc.constantFrom("@", "@", "＠", "﹫", "%40"),
    fc.constantFrom("okhdfc", "münchen.de", "ybl", "mail.example.in", "xn--mnchen-3ya.de", "भारत"),
  )
  .map(([local, at, domain]) => ({
    written: `${local}${at}${domain}`,
    parts: [`@${domain.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase()}`, compacted(local)],
  }));

function compacted(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();
}

/** Each holds no word of an address above, and few digits. */
const around = fc.constantFrom<((value: string) => string)[]>(
  (value) => value,
  (value) => `account ${value} was refused`,
  (value) => `refused: ${value}.`,
  (value) => `a/c ${value}, ifsc=HDFC0000009`,
  (value) => `Key (account_number)=(${value}) exists.`,
  (value) => `{"number":"${value}","n":5}`,
  (value) => `payee '${value}';retry`,
  (value) => `line\n${value}\nline`,
  (value) => `<${value}> [${value}]`,
  (value) => `₹4,50,000.00 to ${value}, ${value}`,
  (value) => `https://h.example/p?q=${value}&n=1`,
  (value) => `\u202e${value}\u202c`,
);

/** Of numbers, which may be part of a longer word. */
const glued = fc.constantFrom<((value: string) => string)[]>(
  (value) => `ACC${value}`,
  (value) => `A/c${value}`,
  (value) => `acct_${value}`,
  (value) => `-1234-${value}`,
  (value) => `${value}INR`,
  (value) => `खाता${value}`,
);

export const privateText: fc.Arbitrary<PrivateText> = fc.oneof(
  fc.tuple(fc.oneof(hidden, pan, address), around).map(([value, write]) => finished(value, write)),
  fc.tuple(hidden, glued).map(([value, write]) => finished(value, write)),
);

function finished(
  { written, parts }: { written: string; parts: string[] },
  write: (value: string) => string,
): PrivateText {
  return { text: write(written), parts: [...new Set(parts)] };
}

const base62 = fc.string({
  unit: fc.constantFrom(...Array.from("0123456789ABCDEFabcdefXYZxyz")),
  minLength: 14,
  maxLength: 14,
});
const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .string({
      unit: fc.constantFrom(...Array.from("0123456789abcdef")),
      minLength: length,
      maxLength: length,
    })
    .filter((text) => /(?:\d*[a-f]){4}/.test(text));
const time = fc
  .date({ noInvalidDate: true, min: new Date("2000-01-01"), max: new Date("2099-01-01") })
  .map((date) => date.toISOString());
const grouping = new Intl.NumberFormat("en-IN");

/** What runs print of money, ids, times and places. */
export const harmless: fc.Arbitrary<string> = fc.oneof(
  fc.uuid(),
  time,
  time.map((text) => text.slice(0, 10)),
  time.map((text) => `${text.slice(0, 10)} ${text.slice(11, 16)}`),
  fc
    .tuple(time, fc.constantFrom("runner-7", "fv-az1234-567", "laptop.local"), fc.uuid())
    .map(([at, host, run]) => `${at}@${host}:${run}`),
  fc.nat(999_999_999).map((rupees) => `₹${grouping.format(rupees)}.50`),
  fc.nat(999_999_999).map((rupees) => `${grouping.format(rupees)}.00`),
  fc.nat(999_999_999).map((paise) => `${paise}00 paise`),
  fc
    .tuple(fc.constantFrom("pout", "fa", "cont", "txn", "rfnd", "pay", "order"), base62)
    .map(([kind, id]) => `${kind}_${id}`),
  fc.tuple(upper(4), digits(6)).map(([bank, branch]) => `${bank}0${branch}`),
  fc.oneof(hex(40), hex(64)),
  digits(12).map((utr) => `UTR ${utr}`),
  fc.ipV4().map((ip) => `${ip}:5432`),
  digits(11).map((run) => `https://github.com/acme/afterhours/actions/runs/${run}`),
  fc.tuple(fc.nat(9999), fc.nat(200)).map(([line, column]) => `lib/pay.ts:${line}:${column}`),
  fc.constantFrom("HTTP 429", "42501", "ECONNREFUSED", "18.4.0", "2026Q2", "2025-26", "194O"),
  fc.constantFrom(
    "20261126000400_settled_attempts",
    "37 15 * * 1",
    "127.0.0.1:4599",
    "0.1234567890",
  ),
  fc.nat(99_999_999).map(String),
);

/** Between two of these stands a word: two numbers side by side could be one. */
export const joined = fc.constantFrom<((tokens: string[]) => string)[]>(
  (tokens) => tokens.join(" and "),
  (tokens) => tokens.join(", "),
  (tokens) => tokens.map((token) => `(${token})`).join(" of "),
  (tokens) => tokens.join("\n"),
  (tokens) => tokens.join("  "),
  (tokens) => JSON.stringify(tokens),
);

/** No longer, and no more ordinary, than what is masked wherever it stands. */
export const secretValue = fc
  .string({ minLength: 6, maxLength: 40 })
  .filter((text) => !"[redacted]".includes(text) && text.trim() === text);

type Travel = (secret: string) => { text: string; form: string };

const encodedAt = (offset: number, encoding: "base64" | "base64url"): Travel => {
  return (secret) => {
    const bytes = Buffer.from(`${"x".repeat(offset)}${secret}y`);
    const text = bytes.toString(encoding);
    // What depends on the secret alone.
    const length = Buffer.byteLength(secret);
    const form = text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + length) * 8) / 6));
    return { text: `header ${text} seen`, form };
  };
};

export const travelling = fc.constantFrom<Travel[]>(
  (secret) => ({ text: `x${secret}y`, form: secret }),
  (secret) => ({
    text: `https://h.example/?k=${encodeURIComponent(secret)}&x`,
    form: encodeURIComponent(secret),
  }),
  (secret) => ({ text: JSON.stringify({ a: secret }), form: JSON.stringify(secret).slice(1, -1) }),
  (secret) => {
    const form = Buffer.from(secret).toString("base64");
    return { text: `Basic ${form}`, form };
  },
  ...[0, 1, 2, 3, 4].flatMap((offset) => [
    encodedAt(offset, "base64"),
    encodedAt(offset, "base64url"),
  ]),
);
