import { randomBytes, randomUUID } from "node:crypto";

/** Where chance comes from: back-off jitter asks for it, so that a test can fix it. */
export type Random = () => number;

/** A number from 0 (included) to 1 (excluded). */
export const systemRandom: Random = Math.random;

/** A random version-4 UUID. */
export function newUuid(): string {
  return randomUUID();
}

/** Random lower-case hex digits, two to the byte. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}
