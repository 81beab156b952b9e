/** Runs a subject and what it is compared with right after each other, in either order in turn. */
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
