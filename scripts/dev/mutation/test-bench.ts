import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestModule, TestSpecification, Vitest } from "vitest/node";
import type { ClaimCheck } from "./claim-check.ts";
import { mutate, type Mutant } from "./statements.ts";
import { fateOf, type FailedTest, type Fate } from "./verdict.ts";

interface TestBench {
  /** Runs the test files against the source as it is. */
  runAsIs(file: string): Promise<Fate>;
  /** Runs the test files of a mutant's file one after the other, until one fails. */
  run(mutant: Mutant): Promise<Fate>;
  close(): Promise<void>;
}

/**
 * One Vitest, with one PostgreSQL and one Redis, for many mutants. A mutant exists only in the text that Vitest
 * passes to the tests' process for that file: nothing is written, so nothing can be left behind.
 */
export async function openTestBench(check: ClaimCheck): Promise<TestBench> {
  const { createVitest } = await import("vitest/node");
  let mutant: Mutant | undefined;
  const vitest = await createVitest(
    "test",
    {
      config: join(check.root, check.vitestConfig),
      watch: false,
      reporters: [{}],
      bail: 1,
      maxWorkers: 1,
      cache: false,
      setupFiles: [fileURLToPath(new URL("sql-errors.ts", import.meta.url))],
    },
    {
      plugins: [
        {
          name: "claim-mutant",
          enforce: "pre",
          transform: (code, id) =>
            mutant !== undefined && id === join(check.root, mutant.file)
              ? { code: mutate(code, mutant), map: null }
              : undefined,
        },
      ],
    },
  );
  const specifications = new Map(
    (await vitest.globTestSpecifications()).map((each) => [each.moduleId, each]),
  );
  const specificationOf = (file: string): TestSpecification => {
    const found = specifications.get(join(check.root, file));
    if (!found) throw new Error(`there is no test file ${file}`);
    return found;
  };

  return {
    runAsIs: async (file) => (await runFile(vitest, specificationOf(file))) ?? { kind: "survived" },
    run: async (wanted) => {
      const path = join(check.root, wanted.file);
      const source = readFileSync(path, "utf8");
      if (
        !source.slice(wanted.start, wanted.end).replace(/\s+/g, " ").startsWith(wanted.condition)
      ) {
        return { kind: "invalid", why: "the source has changed since it was read" };
      }
      mutant = wanted;
      vitest.invalidateFile(path);
      try {
        for (const file of check.tests[wanted.file] ?? []) {
          const fate = await runFile(vitest, specificationOf(file));
          if (fate) return fate;
        }
        return { kind: "survived" };
      } finally {
        mutant = undefined;
        vitest.invalidateFile(path);
      }
    },
    close: () => vitest.close(),
  };
}

async function runFile(
  vitest: Vitest,
  specification: TestSpecification,
): Promise<Fate | undefined> {
  // Vitest counts failures over all of its runs, and would stop this one for those of the last mutant.
  vitest.state.filesMap.clear();
  vitest.state.idMap.clear();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification]);
  if (testModules.some(({ moduleId }) => moduleId !== specification.moduleId)) {
    throw new Error("results of another test file came along");
  }
  const tests = testModules.flatMap((module) => [...module.children.allTests()]);
  const failed = tests.flatMap((test): FailedTest[] => {
    const result = test.result();
    if (result.state !== "failed") return [];
    return [
      {
        name: `${test.module.relativeModuleId} > ${test.fullName}`,
        errors: result.errors.map((error) => textOf(error)).join("\n"),
        sqlStates: test.meta().sqlStates ?? [],
      },
    ];
  });
  return fateOf({
    failed,
    outside: [...testModules.flatMap(errorsOf), ...unhandledErrors.map((error) => textOf(error))],
    passed: tests.filter((test) => test.result().state === "passed").length,
  });
}

function errorsOf(module: TestModule): string[] {
  return module.errors().map(({ message }) => message);
}

/** Message and code of an error, and of its causes. */
function textOf(error: unknown, depth = 0): string {
  if (typeof error !== "object" || error === null || depth > 4) return "";
  const { message, code, cause } = error as { message?: unknown; code?: unknown; cause?: unknown };
  const own = [message, code].filter((part) => typeof part === "string");
  return [...own, textOf(cause, depth + 1)].join(" ").trim();
}
