import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * A stack trace in which places in a bundle are named as those in our own files. The bundle's source maps are
 * read here, once an error is about to be told; Node's own `--enable-source-maps` reads them at each start,
 * which costs a run that has no error 10 ms. A trace without bundles, or whose maps are not there, stays as it is.
 */
export function withSourcePositions(stack: string): string {
  return stack.replace(IN_A_FILE, (place, url: string, line: string, column: string) => {
    try {
      // An entry counts from 0, a trace from 1.
      const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !("originalSource" in entry)) return place;
      // A map that names no file says null.
      if (!entry.originalSource || entry.originalSource === "null") return place;
      const source = new URL(entry.originalSource, url);
      // The first lines of a bundle are of no file.
      if (source.protocol !== "file:") return place;
      return `${fileURLToPath(source)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    } catch {
      // The error itself is more important: its trace is good enough without a source position.
      return place;
    }
  });
}

const IN_A_FILE = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/** One that is not there is not looked for again. */
const maps = new Map<string, SourceMap | undefined>();

function mapOf(url: string): SourceMap | undefined {
  if (!maps.has(url)) maps.set(url, readMap(`${url}.map`));
  return maps.get(url);
}

function readMap(url: string): SourceMap | undefined {
  try {
    const payload = JSON.parse(readFileSync(new URL(url), "utf8")) as SourceMapPayload;
    return new SourceMap(payload);
  } catch {
    return undefined;
  }
}
