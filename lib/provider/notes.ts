const MOST_PAIRS = 15;
const MOST_CHARACTERS = 256;

/** The provider's rules for notes, and whether these keep them. */
export function notesRules(
  notes: Record<string, string>,
): [field: "notes", holds: boolean, expected: string][] {
  const pairs = Object.entries(notes);
  return [
    ["notes", pairs.length <= MOST_PAIRS, `at most ${MOST_PAIRS} pairs`],
    [
      "notes",
      pairs.flat().every((text) => text.length <= MOST_CHARACTERS),
      `at most ${MOST_CHARACTERS} characters each`,
    ],
  ];
}

/** In one order, so that the same notes always give the same bytes. */
export function sortedNotes(notes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(notes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
