import { plainForm } from "./plain-form.ts";

/** Replaces personal data and secrets. */
export const REDACTED = "[redacted]";

/**
 * Patterns of personal data within a sentence, declared once for logs, output and storage. Each pattern reads
 * the plain form of a text, in time proportional to its length, and only where `mayHold` is true.
 */
interface Shapes {
  mayHold: RegExp;
  /** Group `keep` holds text that looks like personal data but is not. */
  pattern: RegExp;
}

const DATE = String.raw`(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`;
const TIME = String.raw`[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d)?`;
const UUID = String.raw`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`;
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;

/** Characters that end an address: blanks, quotes, brackets, and the punctuation of JSON, SQL and URLs. */
const STOP = String.raw`\s"<>()\[\]{},;:|=/?&\\`;

const ADDRESSES: Shapes = {
  mayHold: /[@\uff20\ufe6b]|%40/,
  pattern: new RegExp(
    [
      // The owner of a lease: a time, the host, and the run.
      `(?<keep>(?<!\\d)${DATE}T\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z@[A-Za-z0-9][A-Za-z0-9.-]*(?![\\w@]))`,
      // User and password in a URL, all of it up to the host.
      String.raw`(?<=:\/\/)[^\s/@]+(?:@[^\s/@]+)*@`,
      // E-mail address or VPA, in any script.
      `(?<![^${STOP}@])(?:[^${STOP}@%]|%(?!40))+ ?(?:@|%40) ?[^${STOP}]+`,
    ].join("|"),
    "gu",
  ),
};

const NUMBERS: Shapes = {
  mayHold: /\p{N}/u,
  pattern: new RegExp(
    // eslint-disable-next-line regexp/no-super-linear-move -- A run of digits is one match; tested at a million characters.
    [
      `(?<keep>${[
        `(?<!\\d)${DATE}(?:${TIME})?(?!\\d)`,
        String.raw`(?<!\d)(?:0[1-9]|[12]\d|3[01])[-/.](?:0[1-9]|1[0-2])[-/.](?:19|20)\d\d(?!\d)`,
        `(?<![0-9A-Za-z])${UUID}(?![0-9A-Za-z])`,
        // A commit, a hash: hexadecimal, with more letters than stand before an account number.
        String.raw`(?<![0-9A-Za-z])(?=(?:\d{0,60}[a-f]){4})[0-9a-f]{32,64}(?![0-9A-Za-z])`,
        // Ids of the provider have 14 characters.
        String.raw`(?<![0-9A-Za-z_])(?:pout|fa|cont|txn|rfnd|pay|order)_[0-9A-Za-z]{14}(?!\w)`,
        // References of a bank, where they are named as such.
        String.raw`(?<!\p{L})(?:UTR|RRN|ARN|utr|rrn|arn)[ :=#]{0,3}[0-9A-Z]{10,22}(?!\w)`,
        String.raw`(?<!\p{L})(?:₹|Rs\.?|INR) ?-?\d[\d,]{0,20}(?:\.\d\d)?(?![\d]|\.\d)`,
        String.raw`(?<![\d.,])\d{1,3}(?:,\d{2,3})+(?:\.\d\d)?(?!\d|[.,]\d)`,
        String.raw`(?<![\d.,])\d{1,9}\.\d\d(?!\d|\.\d)`,
        String.raw`(?<![\d.])\d{1,16}(?= paise\b)`,
        String.raw`(?<![\d.])0\.\d+(?!\d|\.\d)`,
        `(?<![\\d.])(?:${OCTET}\\.){3}${OCTET}(?!\\d|\\.\\d)`,
        String.raw`(?<=\/)(?:runs|job|jobs|attempts)\/\d+`,
        // A migration.
        String.raw`(?<!\w)20\d{12}(?=_[a-z])`,
      ].join("|")})`,
      // PAN: at one stretch, or parted after the letters and before the last one.
      String.raw`\p{L}{5}\d{4}\p{L}`,
      String.raw`(?<!\p{L})(?:\p{Lu}{5}[ .-]{1,3}\d{4}[ .-]{0,3}\p{Lu}|\p{Lu}{5}\d{4}[ .-]{1,3}\p{Lu}|\p{L}{5}[.-]\d{4}[.-]?\p{L})(?![\p{L}\d])`,
      String.raw`(?<=\b[Pp][Aa][Nn][ :=#]{1,3})\p{L}{5}[ .-]{0,3}\d{4}[ .-]{0,3}\p{L}(?!\p{L})`,
      // A short number that is named as an account.
      String.raw`(?<=\b(?:[Aa]\/[Cc]|[Aa]cct?|[Aa]ccount)(?: ?(?:[Nn]o\.?|[Nn]umber))?[ :=#-]{0,3})\d{6,8}(?!\d)`,
      // Account, telephone, card and Aadhaar number: nine digits or more, alone, grouped, or within a word. A date or
      // a UUID that follows is none of its groups.
      `\\+?\\d(?:(?:(?! {2})[-.() \\t]){1,3}(?!${DATE}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-)\\d|\\d){8,}`,
    ].join("|"),
    "gu",
  ),
};

/** The text without e-mail addresses, VPAs, telephone, account, card and Aadhaar numbers, PANs, and logins in URLs. */
export function withoutPersonalData(text: string): string {
  return without(NUMBERS, without(ADDRESSES, text));
}

function without({ mayHold, pattern }: Shapes, text: string): string {
  if (!mayHold.test(text)) return text;
  const plain = plainForm(text);
  let result = "";
  let from = 0;
  for (const match of plain.text.matchAll(pattern)) {
    if (match.groups?.["keep"] !== undefined) continue;
    const [start, end] = plain.original(match.index, match.index + match[0].length);
    result += text.slice(from, start) + REDACTED;
    from = end;
  }
  return from === 0 ? text : result + text.slice(from);
}
