import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { PassThrough, Readable, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { assessLines } from "../../../scripts/cli/tds/assess-lines.ts";
import { workedExamples } from "./worked-examples.ts";
import { policy } from "./credit.ts";
import { nodeArgumentsOf } from "../../support/commands.ts";

const ROOT = new URL("../../../", import.meta.url);

describe("worked examples", () => {
  it.each(workedExamples)("$shows", async ({ input, crossing, taxPaise, rateBps, reason }) => {
    const line = JSON.stringify({ ...input, crossingPolicy: crossing }, (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );

    expect(await answerTo(line)).toEqual({
      taxPaise: String(taxPaise),
      rateBps,
      section: "194-O",
      reason,
      carriedForwardPaise: "0",
    });
  });
});

describe("a line", () => {
  it("may give amounts as integers or as decimal strings", async () => {
    const large = { payeeCategory: "firm", grossPaise: "900719925474099300" };

    expect(await answerTo({ ...large, rounding: "paisa-floor" })).toMatchObject({
      taxPaise: "900719925474099",
    });
    expect(await answerTo({ payeeCategory: "firm", grossPaise: 100000 })).toMatchObject({
      taxPaise: "100",
    });
  });

  it("may bring every optional field", async () => {
    const answer = await answerTo({
      paidOn: "2025-06-14",
      payeeCategory: "company",
      grossPaise: 1_000_000,
      yearGrossBeforePaise: 500,
      yearCreditsBefore: [{ creditedOn: "2025-04-01", grossPaise: "500" }],
      certificate: {
        rateBps: 5,
        from: "2025-04-01",
        to: "2025-06-14",
        ceilingPaise: 1_400_000,
        usedPaise: 1_000_000,
      },
      crossingPolicy: "excess-only",
      rounding: "paisa-half-up",
      paymentPaise: 700,
      carriedForwardBeforePaise: 0,
    });

    // 0.05% of 4,00,000 paise and 0.1% of 6,00,000.
    expect(answer).toEqual({
      taxPaise: "700",
      rateBps: 10,
      section: "194-O",
      reason: "certificate-ceiling-exceeded",
      carriedForwardPaise: "100",
    });
  });

  const whole = "expected whole paise, zero or more, as an integer or a decimal string";
  it.each([
    [{ grossPaise: 0 }, "INVALID_FIELD", "grossPaise", "expected whole paise above zero"],
    [{ grossPaise: -1 }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: 10.5 }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: "10.5" }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: "007" }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: "" }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: null }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: "1000000000000000000" }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: 2 ** 53 }, "INVALID_FIELD", "grossPaise", "above zero"],
    [{ grossPaise: undefined }, "MISSING_FIELD", "grossPaise", "above zero"],
    [{ yearTaxBeforePaise: "-5" }, "INVALID_FIELD", "yearTaxBeforePaise", whole],
    [{ creditedOn: "2025-02-29" }, "INVALID_FIELD", "creditedOn", "YYYY-MM-DD"],
    [{ creditedOn: 20250228 }, "INVALID_FIELD", "creditedOn", "YYYY-MM-DD"],
    [{ paidOn: "28/02/2025" }, "INVALID_FIELD", "paidOn", "YYYY-MM-DD"],
    [{ payeeCategory: "trust" }, "INVALID_FIELD", "payeeCategory", "individual, huf, company"],
    [{ panStatus: undefined }, "MISSING_FIELD", "panStatus", "valid, missing, inoperative"],
    [{ resident: "yes" }, "INVALID_FIELD", "resident", "true or false"],
    [{ aadhaar: undefined }, "MISSING_FIELD", "aadhaar", "true or false"],
    [
      { payeeCategory: "company", aadhaar: true },
      "INVALID_FIELD",
      "aadhaar",
      "only an individual can have an Aadhaar",
    ],
    [
      { payeeCategory: "huf", panStatus: "missing", aadhaar: true },
      "INVALID_FIELD",
      "aadhaar",
      "only an individual can have an Aadhaar",
    ],
    [{ panRelief: {} }, "MISSING_FIELD", "panRelief.from", "YYYY-MM-DD"],
    [
      { panRelief: { from: "2025-07-01", to: "2025-06-30" } },
      "INVALID_FIELD",
      "panRelief.to",
      "not before from",
    ],
    [
      { panStatus: "missing", panRelief: { from: "2025-06-01", to: "2025-06-30" } },
      "INVALID_FIELD",
      "panRelief",
      "an inoperative one",
    ],
    [{ grossPaise: "-100000" }, "INVALID_FIELD", "grossPaise", "docs/refunds.md"],
    [{ rounding: "up" }, "INVALID_FIELD", "rounding", "rupee-half-up"],
    [{ crossingPolicy: null }, "INVALID_FIELD", "crossingPolicy", "whole-year, excess-only"],
    [{ grosPaise: 1, grossPaise: undefined }, "UNKNOWN_FIELD", "grosPaise", "no such field"],
    [{ yearCreditsBefore: {} }, "INVALID_FIELD", "yearCreditsBefore", "expected a list"],
    [
      { yearCreditsBefore: [{ creditedOn: "2025-04-01", grossPaise: 0.5 }] },
      "INVALID_FIELD",
      "yearCreditsBefore[0].grossPaise",
      whole,
    ],
    [
      { yearCreditsBefore: [{ creditedOn: "2025-04-01" }] },
      "MISSING_FIELD",
      "yearCreditsBefore[0].grossPaise",
      whole,
    ],
    [
      { yearCreditsBefore: [{ creditedOn: "2025-04-01", grossPaise: 1, tax: 0 }] },
      "UNKNOWN_FIELD",
      "yearCreditsBefore[0].tax",
      "no such field",
    ],
    [
      { yearGrossBeforePaise: 1, yearCreditsBefore: [{ creditedOn: "2025-03-31", grossPaise: 1 }] },
      "INVALID_FIELD",
      "yearCreditsBefore[0].creditedOn",
      "2025-04-01 to 2026-03-31",
    ],
    [
      { yearCreditsBefore: [{ creditedOn: "2025-04-01", grossPaise: 1 }] },
      "INVALID_FIELD",
      "yearCreditsBefore",
      "no more than yearGrossBeforePaise",
    ],
    [{ certificate: { rateBps: 5 } }, "MISSING_FIELD", "certificate.from", "YYYY-MM-DD"],
    [
      { certificate: { ...certificateFields(), rateBps: 0.5 } },
      "INVALID_FIELD",
      "certificate.rateBps",
      "whole basis points",
    ],
    [
      { certificate: { ...certificateFields(), to: "2025-03-31" } },
      "INVALID_FIELD",
      "certificate.to",
      "not before from",
    ],
    [{ resident: false }, "NON_RESIDENT", "resident", "section 195"],
  ])("%j is answered with an error", async (changes, code, field, message) => {
    expect(await answerTo(changes)).toEqual({
      error: { code, field, message: expect.stringContaining(message) as string },
    });
  });

  it("may not smuggle in a prototype", async () => {
    const line = JSON.stringify(fields()).replace("{", '{"__proto__":{"resident":true},');

    expect(await answerTo(line)).toMatchObject({
      error: { code: "UNKNOWN_FIELD", field: "__proto__" },
    });
  });
});

it("answers the input in docs/tax.md with the output there", async () => {
  const page = await readFile(new URL("docs/tax.md", ROOT), "utf8");
  const block = (name: string) =>
    new RegExp(`<!-- assess: ${name} -->\\n\\n\`\`\`json\\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";
  const { answers } = await run([block("input")]);

  expect(answers).toHaveLength(4);
  expect(answers.map((answer) => `${JSON.stringify(answer)}\n`).join("")).toBe(block("output"));
});

describe("the input", () => {
  const good = JSON.stringify(fields());

  it("may hold empty lines, a byte order mark, CRLF, and no newline at its end", async () => {
    const { answers, problem } = await run([`\uFEFF${good}\r\n\r\n`, `  \n${good}`]);

    expect(answers).toHaveLength(2);
    expect(problem).toBeUndefined();
  });

  it("may break anywhere between chunks", async () => {
    const bytes = [...new TextEncoder().encode(`${good}\r\n${good}\n`)];
    const { answers, problem } = await run(bytes.map((byte) => Uint8Array.of(byte)));

    expect(answers).toHaveLength(2);
    expect(problem).toBeUndefined();
  });

  it("goes on after a line whose content is refused", async () => {
    const { answers, problem } = await run([`{}\n${good}\n`]);

    expect(answers).toMatchObject([
      { error: { code: "MISSING_FIELD", field: "creditedOn" } },
      { reason: "below-threshold" },
    ]);
    expect(problem).toBeUndefined();
  });

  it.each(["creditedOn,grossPaise", "[]", "null", "12", '"text"', '{"creditedOn":'])(
    "ends at a line that is not a JSON object: %s",
    async (bad) => {
      const { answers, problem } = await run([`${good}\n\n${bad}\n${good}\n`]);

      expect(answers).toHaveLength(1);
      expect(problem).toMatch(/^line 3 is not a JSON object/);
    },
  );

  it.each([[[]], [["\n \n"]]])("must hold a line: %j", async (chunks) => {
    expect(await run(chunks)).toMatchObject({
      answers: [],
      problem: expect.stringContaining("no lines") as string,
    });
  });

  it("is read no faster than the output takes it", async () => {
    let given = 0;
    const source = Readable.from(
      (function* () {
        for (; given < 10_000; given += 1) yield `${good}\n`;
      })(),
    );
    const stuck = new Writable({
      highWaterMark: 1,
      write: () => {
        // Never takes the next chunk.
      },
    });
    const pending = assessLines({ input: source, output: stuck }, defaultTaxPolicy);
    for (let turn = 0; turn < 1_000; turn += 1) await new Promise(setImmediate);

    expect(given).toBeLessThan(200);
    const closed = new Error("closed by the test");
    stuck.destroy(closed);
    await expect(pending).rejects.toBe(closed);
  });
});

describe("npm run tds", () => {
  const good = `${JSON.stringify(fields())}\n`;

  it("answers every line of a large input, errors included, and exits with 0", async () => {
    const lines = 100_000;
    const { stdout, stderr, code } = await tds(["assess"], good.repeat(lines - 1) + "{}\n");

    expect(stdout.split("\n")).toHaveLength(lines + 1);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it("exits with 2 and names the line that is no JSON object, having answered the ones before", async () => {
    const { stdout, stderr, code } = await tds(["assess"], `${good}nonsense\n${good}`);

    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^tds assess: line 2 is not a JSON object/);
    expect(code).toBe(2);
  });

  it("exits with 2 and says so when there is nothing to assess", async () => {
    const { stdout, stderr, code } = await tds(["assess"], "");

    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toContain("no lines");
  });

  it("ends quietly when the reader of its output goes away", async () => {
    const { stderr, code } = await tds(["assess"], good.repeat(20_000), { closeOutput: true });

    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  });

  it("can be told that an Aadhaar alone does not suffice from April 2026", async () => {
    const line = JSON.stringify({
      ...fields(),
      creditedOn: "2026-04-01",
      panStatus: "missing",
      aadhaar: true,
    });

    expect((await tds(["assess"], line)).stdout).toContain("below-threshold");
    expect((await tds(["assess", "--no-aadhaar-2025"], line)).stdout).toContain("no-pan");
  });

  it("exits with 2 on an unknown command or option, and with 0 on --help", async () => {
    expect(await tds(["asess"])).toMatchObject({ code: 2, stdout: "" });
    expect(await tds(["assess", "--fast"])).toMatchObject({ code: 2, stdout: "" });
    const help = await tds(["assess", "--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("yearCreditsBefore");
  });
});

/** The fields that a line must have. */
function fields(): Record<string, unknown> {
  return {
    creditedOn: "2025-06-15",
    payeeCategory: "individual",
    resident: true,
    panStatus: "valid",
    aadhaar: false,
    grossPaise: 100_000,
    yearGrossBeforePaise: 0,
    yearTaxBeforePaise: 0,
  };
}

function certificateFields() {
  return {
    rateBps: 5,
    from: "2025-04-01",
    to: "2026-03-31",
    ceilingPaise: 1,
    usedPaise: 0,
  };
}

/** The answer to one line: changes to the required fields, or a whole line as text. */
async function answerTo(line: string | Record<string, unknown>): Promise<unknown> {
  const text = typeof line === "string" ? line : JSON.stringify({ ...fields(), ...line });
  const { answers, problem } = await run([text]);
  expect(problem).toBeUndefined();
  expect(answers).toHaveLength(1);
  return answers[0];
}

async function run(chunks: readonly (string | Uint8Array)[]) {
  const bytes = chunks.map((chunk) => Buffer.from(chunk));
  const output = new PassThrough({ encoding: "utf8", highWaterMark: 2 ** 20 });
  const { problem } = await assessLines(
    { input: Readable.from(bytes, { objectMode: false }), output },
    policy(),
  );
  output.end();
  const text = (await output.toArray()).join("");
  const answers = text.split("\n").slice(0, -1);
  return { answers: answers.map((answer): unknown => JSON.parse(answer)), problem };
}

async function tds(args: readonly string[], input = "", options: { closeOutput?: boolean } = {}) {
  const child = spawn(process.execPath, [...nodeArgumentsOf("scripts/cli/tds.ts"), ...args], {
    cwd: ROOT,
    stdio: "pipe",
  });
  const result = { stdout: "", stderr: "", code: null as number | null };
  if (options.closeOutput) child.stdout.destroy();
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  // The command stops reading at a bad line, so what is left cannot be written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  result.code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return result;
}
