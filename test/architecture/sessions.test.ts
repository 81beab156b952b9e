import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where a session may be opened that nobody reads back. */
const ALLOWED = [
  "lib/db/session.ts",
  // Asks whether the server that it started is up.
  "scripts/dev/services/postgres.ts",
];

it("nothing of the product opens a session of the database but by the module that reads it back", () => {
  const files = ["lib", "jobs", "scripts"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.m?ts$/.test(name))
      .map((name) => join(folder, name)),
  );
  // Benchmarks compare the product with the bare driver.
  const opening = files.filter(
    (file) =>
      !file.startsWith("scripts/dev/bench/") &&
      /new (?:pg\.)?(?:Client|Pool)\([^)]|extends pg\.(?:Client|Pool)/.test(
        readFileSync(join(ROOT, file), "utf8"),
      ) &&
      /from "pg"/.test(readFileSync(join(ROOT, file), "utf8")),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(opening.map((file) => relative(ROOT, join(ROOT, file))).sort()).toEqual(ALLOWED);
});
