/**
 * Runs `work` over `items` with at most `atOnce` in hand. Once `goOn` says no, nothing more is started
 * and what is in hand is awaited. An error that `work` throws ends it the same way and is thrown then.
 */
export async function forEachInHand<T>(
  items: AsyncGenerator<T>,
  { atOnce, goOn, work }: { atOnce: number; goOn: () => boolean; work: (item: T) => Promise<void> },
): Promise<void> {
  const errors: unknown[] = [];
  const mayStart = (): boolean => errors.length === 0 && goOn();
  const worker = async (): Promise<void> => {
    while (mayStart()) {
      const next = await items.next();
      // The page may have taken a moment: what stops the run counts from here on.
      if (next.done || !mayStart()) return;
      await work(next.value);
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    worker().catch((error: unknown) => errors.push(error)),
  );
  await Promise.all(workers);
  if (errors.length > 0) throw errors[0];
}
