/** A value as JSON can carry it. */
export type JsonValue =
  string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** No text of the provider is a tenth as long: a note, the longest of them, has 256 characters. */
const LONGEST_TEXT = 4_096;

/**
 * The value that a text carries, or `undefined` when it is not JSON: an HTML page, or cut short. A name or text
 * within it that is longer than any of the provider's makes it unreadable: to cut it could hide a word on which
 * money depends, and reading it whole would hold up the process.
 */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text, (name, value: JsonValue) => {
      if (
        name.length > LONGEST_TEXT ||
        (typeof value === "string" && value.length > LONGEST_TEXT)
      ) {
        throw new RangeError("a text of more than 4096 characters");
      }
      return value;
    }) as JsonValue;
  } catch {
    return undefined;
  }
}
