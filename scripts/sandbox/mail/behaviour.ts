/** The steps of taking a mail at which the server may do something else. */
export type Stage =
  /** Before the greeting. */
  | "connect"
  | "login"
  /** MAIL FROM. */
  | "sender"
  /** RCPT TO. */
  | "recipient"
  /** While the text comes in. */
  | "text"
  /** After the final dot, before the answer. */
  | "answer";

export interface Behaviour {
  at: Stage;
  do:
    | { refuse: number; saying?: string }
    /** Says nothing more, and keeps the connection. */
    | "hang"
    /** Ends the connection without a word. */
    | "drop"
    /** Refuses each recipient once with 450, and then takes the mail. */
    | "greylist"
    /** Continues as usual when the promise resolves. */
    | { wait: Promise<void> };
  /** At `answer`: the mail is taken all the same, and its sender does not know. */
  taken?: boolean;
  /** Only for recipients whose address holds this text. */
  to?: string;
  /** How often. Default 1; `Infinity` for always. */
  times?: number;
}

/** The server's instructions, in the order in which they were given. */
export class Script {
  readonly #steps: { behaviour: Behaviour; left: number }[] = [];
  readonly #greeted = new Set<string>();

  add(behaviours: readonly Behaviour[]): void {
    for (const behaviour of behaviours) {
      this.#steps.push({ behaviour, left: behaviour.times ?? 1 });
    }
  }

  clear(): void {
    this.#steps.length = 0;
  }

  /** The next unusual behaviour, if there is one. */
  take(stage: Stage, recipient?: string): Behaviour | undefined {
    const step = this.#steps.find(
      ({ behaviour, left }) =>
        left > 0 &&
        behaviour.at === stage &&
        (behaviour.to === undefined || recipient?.includes(behaviour.to) === true) &&
        !(behaviour.do === "greylist" && this.#greeted.has(recipient ?? "")),
    );
    if (!step) return undefined;
    step.left -= 1;
    if (step.behaviour.do === "greylist") this.#greeted.add(recipient ?? "");
    return step.behaviour;
  }
}
