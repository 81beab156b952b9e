/**
 * Runs `work` over `items`, in their order, with at most `atOnce()` running. Once `goOn` returns false, nothing
 * more is started, and running work is awaited. An error of `work` ends the run in the same way and is thrown
 * then.
 */
export async function forEachInHand<T>(
  items: AsyncGenerator<T>,
  {
    atOnce,
    goOn,
    work,
  }: { atOnce: () => number; goOn: () => boolean; work: (item: T) => Promise<void> },
): Promise<void> {
  const errors: unknown[] = [];
  let inHand = 0;
  let tellFinished = (): void => undefined;
  const oneFinished = (): Promise<void> =>
    new Promise((resolve) => {
      tellFinished = resolve;
    });
  const mayStart = (): boolean => errors.length === 0 && goOn();
  const start = (item: T): void => {
    inHand++;
    void work(item)
      .catch((error: unknown) => errors.push(error))
      .then(() => {
        inHand--;
        tellFinished();
      });
  };

  try {
    while (mayStart()) {
      if (inHand >= atOnce()) {
        await oneFinished();
        continue;
      }
      const next = await items.next();
      // The page may have taken a moment: a stop counts from here on.
      if (next.done || !mayStart()) break;
      start(next.value);
    }
  } catch (error) {
    errors.push(error);
  }
  while (inHand > 0) await oneFinished();
  if (errors.length > 0) throw errors[0];
}
