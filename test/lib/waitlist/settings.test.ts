import { describe, expect, it } from "vitest";
import { reminderEnvironment, waitlistEnvironment } from "../../../lib/waitlist/index.ts";

const HOUR_MS = 3_600_000;

describe("the settings of the waitlist", () => {
  it("are a day for an offer, and a reminder when half of it is left", () => {
    expect(waitlistEnvironment.parse({})).toMatchObject({ settings: { offerMs: 24 * HOUR_MS } });
    expect(reminderEnvironment.parse({ WAITLIST_REMINDER_HOURS: " " })).toMatchObject({
      settings: { reminderMs: 12 * HOUR_MS },
    });
  });

  it("take whole hours up to thirty days", () => {
    expect(waitlistEnvironment.parse({ WAITLIST_OFFER_HOURS: "720" })).toMatchObject({
      settings: { offerMs: 720 * HOUR_MS },
    });
    expect(reminderEnvironment.parse({ WAITLIST_REMINDER_HOURS: "1" })).toMatchObject({
      settings: { reminderMs: HOUR_MS },
    });
  });

  it.each(["0", "721", "1.5", "-3", "1e2", "a day"])(
    "refuse %s by the variable's name",
    (hours) => {
      expect(waitlistEnvironment.parse({ WAITLIST_OFFER_HOURS: hours })).toMatchObject({
        ok: false,
        problems: [{ variable: "WAITLIST_OFFER_HOURS" }],
      });
      expect(reminderEnvironment.parse({ WAITLIST_REMINDER_HOURS: hours })).toMatchObject({
        ok: false,
        problems: [{ variable: "WAITLIST_REMINDER_HOURS" }],
      });
    },
  );
});
