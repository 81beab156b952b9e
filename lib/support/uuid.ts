import { AfterhoursError } from "./errors.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

/**
 * Refuses a missing or malformed id before a statement uses it: a missing id must never mean "every row".
 *
 * @throws {AfterhoursError} `ID_INVALID`, naming the id, never its value
 */
export function assertUuids(ids: Readonly<Record<string, string>>): void {
  for (const [name, id] of Object.entries(ids)) {
    if (!isUuid(id)) throw new AfterhoursError("ID_INVALID", `${name} is not a UUID`);
  }
}
