import { storable } from "./storable.ts";

/** A shorter secret is not masked on its own: that would turn ordinary words into stars. */
const SHORTEST_SECRET = 4;
/** A secret shorter than this is masked only where it is a word of its own, and has no other forms. */
export const SHORTEST_ANYWHERE = 6;

/** An id and its secret, each and as they travel together in a header of HTTP. */
export function credentials(id: string, secret: string): string[] {
  return [id, secret, `${id}:${secret}`];
}

/**
 * A secret in each form in which it may turn up: as it is, in a URL, in JSON, and in base64, wherever in a longer text it
 * was encoded. Of a URL with a login also the password, and the login as HTTP and SMTP send it. The longest form
 * comes first, since one may be part of another.
 */
export function secretForms(secrets: readonly string[]): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const part of [secret, ...partsOfUrl(secret)]) {
      if (part.length < SHORTEST_SECRET) continue;
      forms.add(part);
      for (const form of otherForms(part)) if (form.length >= SHORTEST_ANYWHERE) forms.add(form);
    }
  }
  return [...forms].sort((one, other) => other.length - one.length);
}

function otherForms(secret: string): string[] {
  if (secret.length < SHORTEST_ANYWHERE) return [];
  const encoded = encodeURIComponent(storable(secret));
  return [
    encoded,
    encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    encoded.replaceAll("%20", "+"),
    JSON.stringify(secret).slice(1, -1),
    ...secret.split(/[\r\n]+/).filter((line) => line.length >= SHORTEST_ANYWHERE),
    ...base64Forms(secret),
  ];
}

/** The padded form, and the certain characters for each of the three offsets of the secret in a longer text. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const forms = [bytes.toString("base64"), bytes.toString("base64").replace(/={1,2}$/, "")];
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    forms.push(
      text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)),
    );
  }
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

/** Parts of a URL with a login: the password as written and decoded, and the login as sent. */
function partsOfUrl(secret: string): string[] {
  const written = /^[a-z][a-z0-9+.-]*:\/\/([^\s/@:]*):([^\s/]*)@/i.exec(secret);
  if (written === null) return [];
  const [, user = "", password = ""] = written;
  const meant = decoded(password);
  if (meant === "") return [];
  const login = decoded(user);
  return [password, meant, `${login}:${meant}`, `\0${login}\0${meant}`];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A `%` that encodes nothing is itself.
    return text;
  }
}
