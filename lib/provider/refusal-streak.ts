/** So many refusals in a row, all with one description, and it is not the single payouts. */
export const REFUSALS_IN_A_ROW = 5;

/** Counts refusals with one and the same description, with nothing accepted between them. */
export interface RefusalStreak {
  /** The description of the refusals that are counted; undefined when none is. */
  readonly description: string | undefined;
  readonly count: number;
  accepted(): void;
  refused(description: string): void;
}

export function createRefusalStreak(): RefusalStreak {
  let description: string | undefined;
  let count = 0;
  return {
    get description() {
      return description;
    },
    get count() {
      return count;
    },
    accepted() {
      description = undefined;
      count = 0;
    },
    refused(said) {
      count = said === description ? count + 1 : 1;
      description = said;
    },
  };
}

/** The key of a refusal: its sentence, or its words without a sentence. */
export function refusedAs({
  code,
  reason,
  field,
  description,
}: {
  code: string;
  reason: string | null;
  field: string | null;
  description: string;
}): string {
  const words = [code, reason, field].filter((word) => word !== null).join(" ");
  return description.trim() || words;
}
