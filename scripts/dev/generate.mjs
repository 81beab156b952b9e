/**
 * Generates a Prisma client from `prisma/schema`, without any download. Jobs run on `pg` alone; the benchmark
 * compares them with one.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

generateClient(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Quiet, unless it fails: then the error holds Prisma's output. */
function generateClient(root) {
  const prisma = join(root, "node_modules/prisma/build/index.js");
  const result = spawnSync(
    process.execPath,
    [prisma, "generate", "--config", join(root, ".config/prisma.ts")],
    {
      cwd: root,
      encoding: "utf8",
      env: {
        ...process.env,
        // Prisma would download its engine if none were named, though generating never runs it.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: "1",
        CHECKPOINT_DISABLE: "1",
      },
    },
  );
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`prisma generate failed.\n${result.stdout}${result.stderr}`.trim());
  }
}
