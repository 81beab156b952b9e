/** How long the provider takes over an answer. */
export const ANSWERS = { leastMs: 50, mostMs: 800 } as const;
