import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as Engine from "@prisma/schema-engine-wasm";

type EngineModule = typeof Engine;
type Bindings = EngineModule &
  Record<string, unknown> & { __wbg_set_wasm(exports: WasmExports): void };
type WasmExports = Record<string, unknown>;

/** The used part of it; the type libraries of this project do not describe it. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: WasmExports } }>;
};

let loaded: Promise<EngineModule> | undefined;

/**
 * Prisma's migration engine as WebAssembly, from an npm package: the native one would have to be
 * downloaded from elsewhere at run time. One instance serves the whole process.
 */
export function loadEngine(): Promise<EngineModule> {
  loaded ??= instantiate();
  return loaded;
}

/** The package's own entry imports the `.wasm` file as a module, which Node 20 cannot do. */
async function instantiate(): Promise<EngineModule> {
  const specifier = "@prisma/schema-engine-wasm/schema_engine_bg";
  const bindings = (await import(specifier)) as Bindings;
  const folder = dirname(createRequire(import.meta.url).resolve(specifier));
  const bytes = readFileSync(join(folder, "schema_engine_bg.wasm"));
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: reportPanic } });
  const imports = { "./schema_engine_bg.js": withIdleTimers(bindings) };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports["__wbindgen_start"] as () => void)();
  return bindings;
}

/**
 * The engine sets a timer of ten seconds when it asks for its lock and never clears it: each run
 * would take that long to end. The name of the import ends in a hash of its own.
 */
function withIdleTimers(bindings: Bindings): Record<string, unknown> {
  const imports: Record<string, unknown> = { ...bindings };
  for (const name of Object.keys(imports).filter((key) => key.startsWith("__wbg_setTimeout_"))) {
    const set = imports[name] as (callback: () => void, ms: number) => NodeJS.Timeout;
    imports[name] = (callback: () => void, ms: number) => set(callback, ms).unref();
  }
  return imports;
}

/** A panic ends the engine with a bare `unreachable`; the reason is only given here. */
function reportPanic(message: string): void {
  process.stderr.write(`Prisma's schema engine failed: ${message}\n`);
}
