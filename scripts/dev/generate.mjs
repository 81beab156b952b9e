/**
 * Generates a Prisma client from `prisma/schema`, without any download. Jobs run on `pg` alone; the benchmark
 * compares them with one.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STAMP = ".cache/prisma-client/.made-from";

const thisFile = fileURLToPath(import.meta.url);
if (process.argv[1] === thisFile) generateClient(dirname(dirname(dirname(thisFile))));

/** Whether the client is there and made from the schema as it is now. */
export function isClientGenerated(root) {
  const stamp = join(root, STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === sourceHash(root);
}

/** Quiet, unless it fails: then the error holds Prisma's output. */
export function generateClient(root) {
  const hash = sourceHash(root);
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
  writeFileSync(join(root, STAMP), hash);
}

/** Everything that the generated code depends on: schema, configuration, generator. */
function sourceHash(root) {
  const folder = join(root, "prisma/schema");
  const schema = readdirSync(folder).filter((name) => name.endsWith(".prisma"));
  const files = [
    ...schema.sort().map((name) => join(folder, name)),
    join(root, ".config/prisma.ts"),
    join(root, "node_modules/prisma/package.json"),
  ];
  const hash = createHash("sha256");
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest("hex");
}
