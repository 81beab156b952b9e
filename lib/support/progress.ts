/** How a core tells a person how far it is. The harness draws it on a terminal and drops it elsewhere. */
export interface Progress {
  /** `done` of `total` items are finished. */
  update(done: number, total: number): void;
}

export const noProgress: Progress = { update: () => undefined };
