import { generator } from "../crash/moments.ts";

/** Everything that a seed decides comes from here, in the order in which it is asked for. */
export interface Chance {
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  /** True so often of one. */
  happens(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** One of the keys, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
  /** A UUID of version 4. */
  uuid(): string;
}

/** The same answers in the same order for the same seed. */
export function chanceOf(seed: number): Chance {
  // Neighbouring seeds would begin alike.
  const dice = generator(Math.imul(seed, 0x9e3779b1));
  const below = (count: number): number => Math.floor(dice() * count);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    happens: (probability) => dice() < probability,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error("nothing to pick from");
      return list[below(list.length)] as T;
    },
    weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
      const keys = Object.keys(weights) as K[];
      let left = dice() * keys.reduce((sum, key) => sum + weights[key], 0);
      return keys.find((key) => (left -= weights[key]) < 0) ?? (keys.at(-1) as K);
    },
    uuid() {
      const hex = Array.from({ length: 32 }, () => below(16).toString(16));
      hex[12] = "4";
      hex[16] = "8";
      const text = hex.join("");
      return [0, 8, 12, 16, 20]
        .map((start, part) => text.slice(start, [8, 12, 16, 20, 32][part]))
        .join("-");
    },
  };
}
