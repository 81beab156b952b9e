import fc from "fast-check";

/** Loaded before each test file where FUZZ_SEED is set: every property begins with that case. */
const { FUZZ_SEED, FUZZ_PATH } = process.env;
if (!/^-?[0-9]{1,10}$/.test(FUZZ_SEED ?? "")) {
  throw new Error(`FUZZ_SEED is ${FUZZ_SEED ?? "missing"}; expected a whole number`);
}
fc.configureGlobal({
  seed: Number(FUZZ_SEED),
  ...(FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH }),
});
