import { describe, expect, it } from "vitest";
import { batchEnvironment } from "../../../../lib/payouts/batch/index.ts";
import { payoutEnvironment as ofTheRun } from "../../../../lib/payouts/pay/index.ts";
import { razorpayXEnvironment } from "../../../../lib/razorpay/index.ts";
import { combineEnvironments } from "../../../../lib/support/environment.ts";

/** As the job declares it. */
const payoutEnvironment = combineEnvironments(razorpayXEnvironment, ofTheRun);

const required = {
  RAZORPAYX_KEY_ID: "rzp_test_key",
  RAZORPAYX_KEY_SECRET: "made-up-secret",
  RAZORPAYX_ACCOUNT_NUMBER: "7878780080316316",
};

describe("the environment of a payout run", () => {
  it("needs credentials and our account, and has a default for everything else", () => {
    const parsed = payoutEnvironment.parse(required);
    expect(parsed).toMatchObject({
      ok: true,
      settings: {
        caps: { singlePaise: 10_00_000_00n, runPaise: 5_00_00_000_00n, runCount: 10_000 },
        narration: "Consultant payout",
        tax: {
          crossing: "whole-year",
          rounding: "rupee-half-up",
          aadhaarSuffices: { act1961: true, act2025: true },
        },
      },
    });
    const pair = `${required.RAZORPAYX_KEY_ID}:${required.RAZORPAYX_KEY_SECRET}`;
    if (parsed.ok)
      expect(new Set(parsed.secrets)).toEqual(new Set([...Object.values(required), pair]));
  });

  it("says everything that is wrong at once, by name and never by value", () => {
    const parsed = payoutEnvironment.parse({
      PAYOUTS_MAX_SINGLE_RUPEES: "ten lakh",
      PAYOUTS_MAX_RUN_RUPEES: "0",
      PAYOUTS_MAX_RUN_COUNT: "1.5",
      PAYOUTS_NARRATION: "Payout #1 to Asha & Co, with more than thirty characters",
      TDS_CROSSING_POLICY: "half-year",
      TDS_ROUNDING: "up",
      TDS_LIKELY_TO_EXCEED: "perhaps",
      TDS_AADHAAR_SUFFICES_2025_ACT: "maybe",
    });
    if (parsed.ok) throw new Error("it was accepted");
    expect(parsed.problems.map(({ variable }) => variable).toSorted()).toEqual([
      "PAYOUTS_MAX_RUN_COUNT",
      "PAYOUTS_MAX_RUN_RUPEES",
      "PAYOUTS_MAX_SINGLE_RUPEES",
      "PAYOUTS_NARRATION",
      "RAZORPAYX_ACCOUNT_NUMBER",
      "RAZORPAYX_KEY_ID",
      "RAZORPAYX_KEY_SECRET",
      "TDS_AADHAAR_SUFFICES_2025_ACT",
      "TDS_CROSSING_POLICY",
      "TDS_LIKELY_TO_EXCEED",
      "TDS_ROUNDING",
    ]);
    expect(JSON.stringify(parsed.problems)).not.toMatch(/ten lakh|1\.5|Asha|half-year|maybe/);
  });

  it.each([
    ["PAYOUTS_MAX_SINGLE_RUPEES", "250000.50", { caps: { singlePaise: 2_50_000_50n } }],
    ["PAYOUTS_MAX_RUN_COUNT", "1", { caps: { runCount: 1 } }],
    ["PAYOUTS_NARRATION", "Weekly payout", { narration: "Weekly payout" }],
    ["TDS_CROSSING_POLICY", "excess-only", { tax: { crossing: "excess-only" } }],
    ["TDS_LIKELY_TO_EXCEED", "at-the-crossing", { tax: { likelyToExceed: "at-the-crossing" } }],
    ["TDS_ROUNDING", "paisa-floor", { tax: { rounding: "paisa-floor" } }],
    ["TDS_AADHAAR_SUFFICES_2025_ACT", "no", { tax: { aadhaarSuffices: { act2025: false } } }],
    ["PAYOUTS_MAX_RUN_COUNT", "  ", { caps: { runCount: 10_000 } }],
  ])("takes %s=%s", (variable, value, settings) => {
    expect(payoutEnvironment.parse({ ...required, [variable]: value })).toMatchObject({
      ok: true,
      settings,
    });
  });
});

describe("on GitHub Actions, where people who may merge nothing can set variables", () => {
  const problemsOf = (env: Record<string, string>) => {
    const given = { ...required, ...env };
    return [payoutEnvironment.parse(given), batchEnvironment.parse(given)].flatMap((parsed) =>
      parsed.ok ? [] : parsed.problems,
    );
  };

  it.each([
    ["PAYOUTS_MAX_SINGLE_RUPEES", "1000000", "1000000.01"],
    ["PAYOUTS_MAX_RUN_RUPEES", "50000000.00", "60000000"],
    ["PAYOUTS_MAX_RUN_COUNT", "10000", "10001"],
    ["PAYOUTS_AUTO_APPROVE_RUPEES", "5000", "5001"],
  ])(
    "%s can be %s at most, which the repository says; elsewhere it can be %s",
    (name, most, more) => {
      const onGitHub = { GITHUB_ACTIONS: "true" };
      expect(problemsOf({ ...onGitHub, [name]: most })).toEqual([]);
      expect(problemsOf({ ...onGitHub, [name]: "1" })).toEqual([]);
      expect(problemsOf({ ...onGitHub, [name]: more })).toEqual([
        {
          variable: name,
          problem: expect.stringMatching(
            /^expected at most \d+ on GitHub Actions, .*change lib\/payouts\/state\/limits\.ts/,
          ) as string,
        },
      ]);
      expect(problemsOf({ [name]: more })).toEqual([]);
    },
  );
});
