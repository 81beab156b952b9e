import { expect, it } from "vitest";
import { LeaseLostError, noLease } from "../../../lib/support/lease.ts";

it("a run without a lock is always trusted and has no fence", () => {
  expect(noLease.fence).toBeNull();
  expect(() => noLease.assertTrusted()).not.toThrow();
});

it("a lost lease says which, and what to do", () => {
  expect(new LeaseLostError("afterhours:production:a%2Fb")).toMatchObject({
    code: "LEASE_LOST",
    message: expect.stringContaining("afterhours:production:a%2Fb") as string,
    remedy: expect.stringContaining("Run the job again") as string,
  });
});
