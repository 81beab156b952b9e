/** The meaning of a reason of the provider, as the payee reads it. */
export function toPayee(means: string): string {
  return means.replace(/\bthe payee's\b/g, "your");
}
