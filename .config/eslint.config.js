import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import regexp from "eslint-plugin-regexp";
import tseslint from "typescript-eslint";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Time and chance come from lib/support, so that a test can hold them still. */
const noAmbientTime = [
  "error",
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: "Take the time from a Clock (lib/support/clock.ts).",
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: "Take the time from a Clock (lib/support/clock.ts).",
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: "Take chance from lib/support/random.ts.",
  },
];

/** Only the harness touches the process; a core gets what it needs as arguments. */
const noProcess = [
  { object: "process", property: "env", message: "Cores take settings as arguments." },
  { object: "process", property: "exit", message: "Set process.exitCode in the harness instead." },
];

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", ".cache/**"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: [
            "scripts/dev/*.mjs",
            "scripts/dev/*/*.mjs",
            ".config/*.js",
            ".config/*.cjs",
          ],
        },
        tsconfigRootDir: root,
      },
    },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          paths: [
            {
              name: "date-fns",
              message:
                "Import one function, from date-fns/<its name>: the whole takes 250 ms to load.",
              allowTypeImports: true,
            },
          ],
        },
      ],
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  {
    // A pattern whose time grows with the square of a text stops timers, signals and the lease of a run.
    files: ["lib/**", "jobs/**", "scripts/**"],
    plugins: { regexp },
    rules: {
      "regexp/no-super-linear-backtracking": ["error", { report: "potential" }],
      "regexp/no-super-linear-move": ["error", { report: "potential" }],
    },
  },
  {
    files: ["lib/**/*.ts", "jobs/**/*.ts"],
    ignores: ["lib/support/**"],
    rules: { "no-restricted-syntax": noAmbientTime },
  },
  {
    files: ["lib/**/*.ts"],
    ignores: ["lib/job/**", "lib/support/**"],
    rules: {
      "no-restricted-properties": ["error", ...noProcess],
      "no-restricted-imports": [
        "error",
        {
          paths: ["node:process", "process"].map((name) => ({
            name,
            message: "Cores take settings as arguments.",
          })),
        },
      ],
    },
  },
  {
    files: ["jobs/**/*.ts", "lib/job/**/*.ts"],
    rules: { "no-restricted-properties": ["error", noProcess[1]] },
  },
  {
    files: ["scripts/**", "test/**"],
    rules: { "no-console": "off" },
  },
  {
    files: ["**/*.mjs", "**/*.js", "**/*.cjs"],
    ...tseslint.configs.disableTypeChecked,
  },
);
