/** The allowed form of a server's address. */
interface ServerUrlForm {
  schemes: readonly string[];
  /** `a URL like redis://host:6379`. */
  expected: string;
  /** For schemes that people take for one of these. */
  hints?: Readonly<Record<string, string>>;
}

const PERCENT_ENCODED =
  "special characters in the user and the password have to be percent-encoded: % as %25, @ as %40, # as %23, / as %2F, ? as %3F, : as %3A";

/**
 * A server's address with user and password before the host, or its problem in words that repeat nothing of the
 * address. Line breaks come from pasting and are ignored.
 */
export function readServerUrl(
  value: string,
  { schemes, expected, hints }: ServerUrlForm,
): { url: string } | { problem: string } {
  const url = value.replace(/[\t\r\n]/g, "");
  const [scheme = "", rest] = url.split("://", 2);
  if (rest === undefined || !schemes.includes(scheme.toLowerCase())) {
    const hint = hints?.[scheme.toLowerCase()];
    return { problem: `expected ${expected}${hint === undefined ? "" : `; ${hint}`}` };
  }
  if (holdsRawCharacters(url)) return { problem: `expected ${expected}; ${PERCENT_ENCODED}` };
  return URL.canParse(url) ? { url } : { problem: `expected ${expected}` };
}

/**
 * Whether a raw `#`, `/` or `?` in the password has cut the address in two. The rest may still be a valid URL.
 */
function holdsRawCharacters(url: string): boolean {
  const hasLogin = url.includes("@");
  if (!URL.canParse(url)) return hasLogin;
  const { username, hostname, pathname, search, hash } = new URL(url);
  if (hash !== "" && hasLogin) return true;
  return username === "" && hostname !== "" && /@[^@]/.test(`${pathname}${search}`);
}

/** A decoded part of an address. A `%` that encodes nothing is kept. */
export function decoded(text: string): string {
  return isDecodable(text) ? decodeURIComponent(text) : text;
}

/** Whether each `%` of a text encodes something. */
export function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
