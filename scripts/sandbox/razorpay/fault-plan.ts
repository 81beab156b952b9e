import type { CompleteFault } from "./faults.ts";
import type { Route } from "./routes.ts";

/** The subject of a request, as far as a fault may match it. */
export type Subject = NonNullable<CompleteFault["match"]>;

/** A fault that still has something to do. */
export type RemainingFault = CompleteFault & {
  /** How many more requests it will meet; -1 for always. */
  remaining: number;
  /** How many matching requests it will let through before that. */
  skipsLeft: number;
};

export interface FaultPlan {
  add(faults: CompleteFault[]): void;
  clear(): void;
  remaining(): RemainingFault[];
  /**
   * The fault that this request meets, which is thereby used once: the first added that matches and
   * has none left to skip. `subject` is asked only when a fault of this route wants to know.
   */
  take(route: Route, subject: () => Subject): CompleteFault | undefined;
}

export function createFaultPlan(): FaultPlan {
  let entries: { fault: CompleteFault; remaining: number; skipsLeft: number }[] = [];
  return {
    add(faults) {
      for (const fault of faults)
        entries.push({ fault, remaining: fault.times, skipsLeft: fault.skip });
    },
    clear: () => (entries = []),
    remaining: () =>
      entries.map(({ fault, remaining, skipsLeft }) => ({ ...fault, remaining, skipsLeft })),
    take(route, subject) {
      let known: Subject | undefined;
      for (const entry of entries) {
        const { fault } = entry;
        if (fault.on !== "*" && fault.on !== route) continue;
        if (fault.match && !matches(fault.match, (known ??= subject()))) continue;
        if (entry.skipsLeft > 0) {
          entry.skipsLeft--;
          continue;
        }
        if (entry.remaining > 0 && --entry.remaining === 0)
          entries = entries.filter((other) => other !== entry);
        return fault;
      }
      return undefined;
    },
  };
}

function matches(wanted: Subject, subject: Subject): boolean {
  return (Object.keys(wanted) as (keyof Subject)[]).every(
    (field) => wanted[field] === undefined || wanted[field] === subject[field],
  );
}
