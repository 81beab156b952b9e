import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Writes a file that only its owner may read, in place of one that has its name. It takes the name once it is complete,
 * so that nobody reads half of it. It is a new file each time: a file that waits there, or a link to another, is
 * neither opened nor followed.
 */
export function writePrivateFile(path: string, contents: string | Uint8Array): void {
  const unfinished = `${path}.${randomBytes(8).toString("hex")}.unfinished`;
  // Outside of the `try`: a file that already has this name must not be removed.
  const file = openSync(unfinished, "wx", 0o600);
  try {
    try {
      writeFileSync(file, contents);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
