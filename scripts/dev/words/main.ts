/** Measures how plainly comments and pages are written: `npm run lint:words`. */
import { fileURLToPath } from "node:url";
import { endedByArguments, EXIT, newCommand } from "../../cli/frame/command-line.ts";
import {
  averageOf,
  measurePages,
  measureRooms,
  problemsOf,
  PRONOUN_LIMIT,
  rateOf,
  type Room,
  SENTENCE_LIMIT,
} from "./measure.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

process.exitCode = main(process.argv);

function main(argv: string[]): number {
  const command = newCommand("lint:words")
    .description(
      'Counts free "what", "who" and "whom" in the comments of each room, and the words per sentence of each page.',
    )
    .option("--list <room>", "only print each free pronoun of a room, such as lib/db")
    .addHelpText(
      "after",
      `\nExit status: 0 all limits are kept; 1 comments of lib, jobs and scripts have ` +
        `${PRONOUN_LIMIT.toFixed(1)} or more free pronouns per 1,000 words, or a page has more than ` +
        `${SENTENCE_LIMIT} words per sentence; 2 used wrongly.`,
    )
    .allowExcessArguments(false)
    .showHelpAfterError();
  const ended = endedByArguments(command, argv);
  if (ended !== undefined) return ended;
  const { list } = command.opts<{ list?: string }>();
  return list === undefined ? report() : listHits(list.replace(/\/$/, ""));
}

function report(): number {
  const rooms = measureRooms(ROOT);
  const pages = measurePages(ROOT);
  console.log("Free pronouns in comments\n\nper 1,000    count    words  room");
  const shipped = rooms.filter(({ isShipped }) => isShipped);
  const groups: [name: string, members: readonly Room[]][] = [
    ...rooms.map((room): [string, Room[]] => [room.name, [room]]),
    ["lib, jobs and scripts", shipped],
    ["total", rooms],
  ];
  for (const [name, members] of groups) {
    const hits = members.reduce((sum, room) => sum + room.hits.length, 0);
    const words = members.reduce((sum, room) => sum + room.words, 0);
    console.log(`${column(rateOf(members).toFixed(2))}${column(hits)}${column(words)}  ${name}`);
  }
  console.log("\nWords per sentence\n\n  average  sentences  page");
  for (const page of pages) {
    console.log(`${column(averageOf(page).toFixed(1))}  ${column(page.sentences)}  ${page.name}`);
  }
  const problems = problemsOf(rooms, pages);
  if (problems.length > 0) console.error(`\n${problems.join("\n")}`);
  return problems.length > 0 ? EXIT.notDone : EXIT.done;
}

function listHits(path: string): number {
  const rooms = measureRooms(ROOT).filter(
    ({ name }) => `${path}/`.startsWith(`${name}/`) || `${name}/`.startsWith(`${path}/`),
  );
  if (rooms.length === 0) {
    console.error(`error: ${path} is no room; npm run lint:words names them`);
    return EXIT.usage;
  }
  for (const { file, line, word } of rooms.flatMap(({ hits }) => hits)) {
    if (`${file}/`.startsWith(`${path}/`)) console.log(`${file}:${line}: ${word}`);
  }
  return EXIT.done;
}

function column(value: string | number): string {
  return String(value).padStart(9);
}
