import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = new URL("../..", import.meta.url);

/** What the lock file says of one package. */
interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
  link?: boolean;
}
type Lock = Record<string, Locked>;

const read = (file: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(file, ROOT)), "utf8"));
const lock = (read("package-lock.json") as { packages: Lock }).packages;

/** Licences of what is shipped: none of them asks anything of those who use it but its notice. */
const LICENSES = ["MIT", "MIT-0", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "Unlicense"];
/**
 * Packages of a runner with a script for their installation. It is never run (`--ignore-scripts`): esbuild's only
 * makes its start faster.
 */
const WITH_INSTALL_SCRIPT = ["node_modules/esbuild"];

/** What is wrong with a package that came in, or changed. */
const reviews: readonly { name: string; problem: (path: string, locked: Locked) => boolean }[] = [
  {
    // Without an address it comes from the registry that npm is told of, and the hash says what that must give.
    name: "comes from the registry of npm",
    problem: (path, { resolved, version, link }) => {
      const name = path.split("node_modules/").at(-1) ?? "";
      const file = `${name.split("/").at(-1) ?? ""}-${version ?? ""}.tgz`;
      const address = `https://registry.npmjs.org/${name}/-/${file}`;
      return link === true || (resolved !== undefined && resolved !== address);
    },
  },
  {
    name: "has a strong hash",
    problem: (_, { integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""),
  },
  {
    name: "runs no script at its installation, where it is shipped",
    problem: (path, { dev, hasInstallScript }) =>
      dev !== true && hasInstallScript === true && !WITH_INSTALL_SCRIPT.includes(path),
  },
  {
    name: "may be shipped by its licence",
    problem: (_, { dev, license = "" }) => dev !== true && !isFree(license),
  },
];

/** `(AFL-2.1 OR BSD-3-Clause)`: one of them is enough. */
function isFree(license: string): boolean {
  const choices = license.replace(/^\((.*)\)$/, "$1").split(" OR ");
  return choices.some((choice) => LICENSES.includes(choice));
}

function refused(packages: Lock): string[] {
  return Object.entries(packages)
    .filter(([path]) => path !== "")
    .flatMap(([path, locked]) =>
      reviews.filter(({ problem }) => problem(path, locked)).map(({ name }) => `${path} ${name}`),
    );
}

describe("each package of the lock file", () => {
  it("comes from npm's registry, has a strong hash, and a licence and no script that hinder us", () => {
    expect(Object.keys(lock).length).toBeGreaterThan(100);
    expect(refused(lock)).toEqual([]);
  });

  const good: Locked = {
    version: "1.0.0",
    resolved: "https://registry.npmjs.org/@acme/left/-/left-1.0.0.tgz",
    integrity: `sha512-${"A".repeat(86)}==`,
    license: "MIT",
  };
  const path = "node_modules/@acme/left";
  const one = (changed: Partial<Locked>): string[] => refused({ [path]: { ...good, ...changed } });

  it.each<[string, Partial<Locked>]>([
    ["comes from the registry of npm", { resolved: "https://evil.example/left-1.0.0.tgz" }],
    ["comes from the registry of npm", { resolved: "git+ssh://git@github.com/acme/left.git#1" }],
    ["comes from the registry of npm", { version: "1.0.1" }],
    [
      "comes from the registry of npm",
      { resolved: "https://registry.npmjs.org/@evil/left/-/left-1.0.0.tgz" },
    ],
    ["has a strong hash", { integrity: "" }],
    ["has a strong hash", { integrity: "sha1-AAAA" }],
    ["runs no script at its installation, where it is shipped", { hasInstallScript: true }],
    ["may be shipped by its licence", { license: "GPL-3.0-only" }],
    ["may be shipped by its licence", { license: "" }],
    ["may be shipped by its licence", { license: "(MIT AND GPL-3.0-only)" }],
    ["comes from the registry of npm", { link: true }],
  ])("is refused unless it %s: %j", (name, changed) => {
    expect(one({})).toEqual([]);
    expect(one(changed)).toEqual([`${path} ${name}`]);
  });

  it("may have a script or another licence where it is for development alone", () => {
    expect(one({ dev: true, hasInstallScript: true, license: "GPL-3.0-only" })).toEqual([]);
  });
});

it("versions in package.json are exact", () => {
  const { dependencies, devDependencies } = read("package.json") as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;
  const versions = Object.entries({ ...dependencies, ...devDependencies });
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});
