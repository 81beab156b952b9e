/** No text of PostgreSQL holds these: NUL, and half of a surrogate pair. */
const NOT_STORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * A text as PostgreSQL can store it, with the replacement character for what it can not: a provider's words
 * must not be what a run fails for.
 */
export function storable(text: string): string {
  return text.replace(NOT_STORABLE, "\ufffd");
}
