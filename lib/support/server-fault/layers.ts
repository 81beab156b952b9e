/**
 * An error, its cause, the cause of that, and so on. A name with several addresses fails with one error for each
 * address; the first of them is next. An error that is its own cause ends the sequence.
 */
export function* layersOf(thrown: unknown): Generator {
  let layer = thrown;
  for (let depth = 0; typeof layer === "object" && layer !== null && depth < 6; depth++) {
    yield layer;
    layer =
      layer instanceof AggregateError && layer.errors.length > 0
        ? (layer.errors[0] as unknown)
        : "cause" in layer
          ? layer.cause
          : undefined;
  }
}

/** The message of an error; empty for anything else. */
export function messageOf(layer: unknown): string {
  return layer instanceof Error ? layer.message : "";
}
