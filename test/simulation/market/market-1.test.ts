import { vi } from "vitest";
import { describeMarketSeeds } from "./seeds.ts";

vi.mock(import("../../../lib/support/clock.ts"), async (original) => {
  const { simulatedSleep } = await import("../scheduler.ts");
  const clock = await original();
  return { ...clock, sleep: simulatedSleep(clock.sleep) };
});

describeMarketSeeds({ part: 1 });
