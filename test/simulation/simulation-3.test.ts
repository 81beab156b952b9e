import { vi } from "vitest";
import { describeSeeds } from "./seeds.ts";

vi.mock(import("../../lib/support/clock.ts"), async (original) => {
  const { simulatedSleep } = await import("./scheduler.ts");
  const clock = await original();
  return { ...clock, sleep: simulatedSleep(clock.sleep) };
});

describeSeeds({ part: 3 });
