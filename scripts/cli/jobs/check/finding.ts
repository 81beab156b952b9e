import type { Channel } from "../../../../lib/support/channel.ts";
import { oneLine } from "../../../../lib/support/one-line.ts";

/** The result of one part of `jobs -- check`. */
export interface CheckFinding {
  /** The subject of the check. */
  part: string;
  /**
   * Neither is a fault: `warning` works but could be better; the detail of `not-checked` names the missing part.
   */
  state: "ok" | "wrong" | "warning" | "not-checked";
  detail: string;
}

export const ok = (part: string, detail: string): CheckFinding => ({ part, state: "ok", detail });
export const wrong = (part: string, detail: string): CheckFinding => {
  return { part, state: "wrong", detail };
};
export const warning = (part: string, detail: string): CheckFinding => {
  return { part, state: "warning", detail };
};
export const notChecked = (part: string, detail: string): CheckFinding => {
  return { part, state: "not-checked", detail };
};

/**
 * A good result with the properties of the connection: a warning where others could read or change its data.
 */
export function overChannel(
  part: string,
  detail: string,
  { words, isSafe }: Channel,
): CheckFinding {
  return isSafe
    ? ok(part, `${detail}; ${words}`)
    : warning(part, `${detail}; ${words}: docs/connections.md`);
}

/** Everything that is wrong with some variables, in one line. */
export function sentence(problems: readonly { variable: string; problem: string }[]): string {
  return problems.map(({ variable, problem }) => `${variable}: ${problem}`).join("; ");
}

const WORDS = {
  ok: "ok",
  wrong: "WRONG",
  warning: "warning",
  "not-checked": "not checked",
} as const;

export function checkLines(findings: readonly CheckFinding[]): string[] {
  const width = Math.max(...findings.map(({ part }) => part.length));
  const count = (state: CheckFinding["state"]): number =>
    findings.filter((finding) => finding.state === state).length;
  return [
    ...findings.map(({ part, state, detail }) =>
      oneLine(`${WORDS[state].padEnd(11)}  ${part.padEnd(width)}  ${detail}`),
    ),
    "",
    `${count("ok")} ok, ${count("wrong")} wrong, ${count("warning")} to improve, ${count("not-checked")} not checked`,
  ];
}
