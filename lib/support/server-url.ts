/** What an address of a server may look like. */
export interface ServerUrlForm {
  schemes: readonly string[];
  /** `a URL like redis://host:6379`. */
  expected: string;
  /** For schemes that people take for one of these. */
  hints?: Readonly<Record<string, string>>;
}

const PERCENT_ENCODED =
  "special characters in the user and the password have to be percent-encoded: % as %25, @ as %40, # as %23, / as %2F, ? as %3F, : as %3A";

/**
 * An address of a server with user and password before the host, or what is wrong with it, in words that repeat
 * nothing of it. Line breaks within it come from how it was pasted, and mean nothing.
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

/** Whether a password with one of `# / ?` has cut the address in two: what is left of it may still be a URL. */
function holdsRawCharacters(url: string): boolean {
  const hasLogin = url.includes("@");
  if (!URL.canParse(url)) return hasLogin;
  const { username, hostname, pathname, search, hash } = new URL(url);
  if (hash !== "" && hasLogin) return true;
  return username === "" && hostname !== "" && /@[^@]/.test(`${pathname}${search}`);
}

/** A part of an address in plain. A `%` that encodes nothing stands for itself. */
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
