/** Numbers from 0 to 1 that look like chance and are the same in every run. */
export function createChance(): () => number {
  let seed = 1;
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
}
