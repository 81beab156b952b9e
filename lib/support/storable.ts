/** No text of PostgreSQL holds these: NUL, and half of a surrogate pair. */
const NOT_STORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * A text that PostgreSQL can store; characters that it cannot store are replaced. A provider's words must never
 * fail a run.
 */
export function storable(text: string): string {
  return text.replace(NOT_STORABLE, "\ufffd");
}
