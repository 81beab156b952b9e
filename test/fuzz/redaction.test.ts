import fc from "fast-check";
import { expect } from "vitest";
import { createRedactor } from "../../lib/support/redact.ts";
import { secretForms } from "../../lib/support/secret-forms.ts";
import { fuzz } from "../support/fuzz.ts";
import { harmless, joined, privateText, secretValue, travelling } from "./private-texts.ts";

const redactor = createRedactor();

fuzz({
  "personal data of every kind goes, however it is written and whatever stands around it":
    fc.property(privateText, ({ text, parts }) => {
      const shown = compact(redactor.text(text));
      for (const part of parts) expect(shown).not.toContain(part);
    }),

  "personal data goes from structured values too": fc.property(
    privateText,
    fc.constantFrom("detail", "items", "reason", "note"),
    ({ text, parts }, field) => {
      const value = { [field]: [{ [field]: text, [text]: 1 }] };
      const shown = compact(JSON.stringify(redactor.value(value)));
      for (const part of parts) expect(shown).not.toContain(part);
    },
  ),

  "amounts, ids, times and what else runs print stays as it is": fc.property(
    fc.array(harmless, { minLength: 1, maxLength: 6 }),
    joined,
    (tokens, join) => {
      const text = join(tokens);
      expect(redactor.text(text)).toBe(text);
    },
  ),

  "redacting twice is redacting once": fc.property(privateText, ({ text }) => {
    const once = redactor.text(text);
    expect(redactor.text(once)).toBe(once);
  }),

  "a secret goes in each form in which it travels": fc.property(
    secretValue,
    travelling,
    (secret, travel) => {
      const { text, form } = travel(secret);
      expect(createRedactor([secret]).withoutSecrets(text)).not.toContain(form);
    },
  ),

  "every form of a secret is at least four characters long, the longest first": fc.property(
    fc.array(fc.string({ maxLength: 20, unit: "binary" })),
    (secrets) => {
      const lengths = secretForms(secrets).map((form) => form.length);
      expect(lengths).toEqual(lengths.toSorted((one, other) => other - one));
      expect(Math.min(4, ...lengths)).toBe(4);
    },
  ),
});

/** Letters and digits as a reader takes them, without what may stand between them. */
function compact(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/\p{Nd}/gu, (digit) => String(digitOf(digit)))
    .replace(/[^\p{L}\p{N}@]/gu, "")
    .toLowerCase();
}

/** Digits of a script follow each other, and these begin at a multiple of 16 or 6 beyond it. */
function digitOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  return code < 0x80 ? code - 0x30 : (code & 15) >= 6 ? (code & 15) - 6 : code & 15;
}
