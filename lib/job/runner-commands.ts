/**
 * The Actions runner obeys `::command::` at the start of a line, and the older `##[command]` anywhere in a line.
 * The author of the text does not matter: a payee's name could set an output or mask a word.
 */

/** A line of plain text that holds no command. */
export function withoutCommands(line: string): string {
  return line.replace(/^(\s*)::/, "$1: :").replaceAll("##[", "## [");
}

/** A line of JSON that holds no command, and means the same: a bracket in a text is written escaped. */
export function jsonWithoutCommands(line: string): string {
  return line.replaceAll("##[", "##\\u005b");
}
