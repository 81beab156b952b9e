import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { commentsOf } from "./comments.ts";
import { countWords, freePronouns, sentencesOf } from "./prose.ts";

/** Free pronouns per 1,000 words that the comments of the shipped code stay below. */
export const PRONOUN_LIMIT = 1;
/** Words that a sentence of a page may have on average. */
export const SENTENCE_LIMIT = 20;

/** Folders whose comments count for the limit. */
const SHIPPED = ["lib", "jobs", "scripts"];
const MEASURED = [...SHIPPED, "test/support"];
const PAGES = ["README.md", "CHANGELOG.md", "docs"];

interface Hit {
  file: string;
  line: number;
  word: string;
}

export interface Room {
  name: string;
  isShipped: boolean;
  words: number;
  hits: readonly Hit[];
}

interface Page {
  name: string;
  sentences: number;
  words: number;
}

/** Measures the comments of each room below `root`: a folder of lib, jobs or scripts, or test/support. */
export function measureRooms(root: string): Room[] {
  const rooms = new Map<string, { words: number; hits: Hit[] }>();
  for (const folder of MEASURED) {
    for (const file of filesBelow(root, folder, /\.(?:ts|mjs)$/)) {
      const name = roomOf(file);
      const room = rooms.get(name) ?? { words: 0, hits: [] };
      rooms.set(name, room);
      for (const { text, line } of commentsOf(readFileSync(join(root, file), "utf8"), file)) {
        room.words += countWords(text);
        for (const found of freePronouns(text)) {
          room.hits.push({ file, line: line + found.line, word: found.word });
        }
      }
    }
  }
  return [...rooms].map(([name, room]) => ({
    name,
    isShipped: SHIPPED.some((folder) => `${name}/`.startsWith(`${folder}/`)),
    ...room,
  }));
}

export function measurePages(root: string): Page[] {
  return PAGES.flatMap((path) => filesBelow(root, path, /\.md$/)).map((name) => {
    const sentences = sentencesOf(readFileSync(join(root, name), "utf8"));
    const words = sentences.reduce((sum, sentence) => sum + countWords(sentence), 0);
    return { name, sentences: sentences.length, words };
  });
}

/** Free pronouns per 1,000 words of comments. */
export function rateOf(rooms: readonly Room[]): number {
  const words = rooms.reduce((sum, room) => sum + room.words, 0);
  const hits = rooms.reduce((sum, room) => sum + room.hits.length, 0);
  return words === 0 ? 0 : (hits / words) * 1000;
}

/** Words per sentence. */
export function averageOf({ words, sentences }: Page): number {
  return sentences === 0 ? 0 : words / sentences;
}

/** Each limit that the source exceeds, with the place. */
export function problemsOf(rooms: readonly Room[], pages: readonly Page[]): string[] {
  const shipped = rooms.filter(({ isShipped }) => isShipped);
  const rate = rateOf(shipped);
  const worst = shipped.filter((room) => rateOf([room]) >= PRONOUN_LIMIT).map(({ name }) => name);
  return [
    ...(rate >= PRONOUN_LIMIT
      ? [
          `Comments of the shipped code have ${rate.toFixed(2)} free pronouns per 1,000 words; ` +
            `the limit is below ${PRONOUN_LIMIT.toFixed(1)}. Above it: ${worst.join(", ")}.`,
        ]
      : []),
    ...pages
      .filter((page) => averageOf(page) > SENTENCE_LIMIT)
      .map(
        (page) =>
          `${page.name}: ${averageOf(page).toFixed(1)} words per sentence; the limit is ${SENTENCE_LIMIT}.`,
      ),
  ];
}

function roomOf(file: string): string {
  return dirname(file).split("/").slice(0, 2).join("/");
}

function filesBelow(root: string, path: string, names: RegExp): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .map((name) => `${path}/${name.replaceAll(sep, "/")}`)
    .filter((name) => names.test(name))
    .toSorted();
}
