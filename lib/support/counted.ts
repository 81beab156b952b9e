/** `1 payout`, `2 payouts`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The form of a verb or pronoun for so many: `agreeing(1, "is", "are")` is `is`. */
export function agreeing(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}
