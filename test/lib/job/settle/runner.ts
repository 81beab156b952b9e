import { readFileSync } from "node:fs";

/** Reads a file of outputs as the Actions runner does: `name=value`, or a heredoc with a delimiter. */
export function readOutputs(file: string): Record<string, string> {
  const lines = readFileSync(file, "utf8").split("\n");
  const outputs: Record<string, string> = {};
  while (lines.length > 0) {
    const line = lines.shift() ?? "";
    if (line === "") continue;
    const [equals, heredoc] = [line.indexOf("="), line.indexOf("<<")];
    if (heredoc < 0 && equals < 0) throw new Error(`the runner refuses the line ${line}`);
    if (heredoc < 0 || (equals >= 0 && equals < heredoc)) {
      outputs[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    const delimiter = line.slice(heredoc + 2);
    const end = lines.indexOf(delimiter);
    if (end < 0) throw new Error(`the runner finds no end ${delimiter}`);
    outputs[line.slice(0, heredoc)] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join("\n");
  }
  return outputs;
}
