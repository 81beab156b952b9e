/** Runs a subject and its reference right after each other, with the order changed each time. */
export async function sideBySide<T>(
  round: number,
  { subject, reference }: { subject: () => T | Promise<T>; reference: () => T | Promise<T> },
): Promise<{ subject: T; reference: T }> {
  if (round % 2 === 0) {
    const first = await reference();
    return { subject: await subject(), reference: first };
  }
  const first = await subject();
  return { subject: first, reference: await reference() };
}
