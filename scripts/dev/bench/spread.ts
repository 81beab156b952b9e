import type { Measurement, Row, Target } from "./figure.ts";

/** Half of all values lie between `low` and `high`. */
export interface Spread {
  low: number;
  median: number;
  high: number;
}

/** @throws {RangeError} for no values */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    low: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    high: quantile(sorted, 0.75),
  };
}

/** Round by round, so that a slow moment of the machine, which meets both, cancels out. */
export function ratiosOf({ measured, against }: Row): number[] | undefined {
  return against?.values.map((value, round) => (measured.values[round] ?? NaN) / value);
}

/** Whether the median keeps to the target; undefined where there is none. */
export function meetsTarget(row: Row): boolean | undefined {
  if (row.target === undefined) return undefined;
  const { atMost = Infinity, atLeast = -Infinity } = row.target;
  const { median } = spreadOf(valuesOf(row, row.target));
  return median <= atMost && median >= atLeast;
}

function valuesOf(row: Row, { of }: Target): readonly number[] {
  return of === "value" ? row.measured.values : (ratiosOf(row) ?? []);
}

/** Between two values that were measured, in proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError("nothing was measured");
  return below + (above - below) * (at - Math.floor(at));
}

/** Values that arrive one at a time, each under the name of its subject. */
export class Recorder {
  readonly #values = new Map<string, { unit: string; values: number[] }>();

  add(name: string, unit: string, value: number): void {
    const known = this.#values.get(name);
    if (known) known.values.push(value);
    else this.#values.set(name, { unit, values: [value] });
  }

  /** @throws {RangeError} for a name under which nothing came in */
  measurement(name: string): Measurement {
    const known = this.#values.get(name);
    if (!known) throw new RangeError(`nothing was measured of ${name}`);
    return { name, ...known };
  }
}
