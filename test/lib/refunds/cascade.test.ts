import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CASCADE, splitOverLegs, type LegLeft } from "../../../lib/refunds/cascade.ts";

const leg = fc.record({
  legId: fc.uuid(),
  kind: fc.constantFrom(...CASCADE),
  leftPaise: fc.bigInt({ min: 0n, max: 1_000_000n }),
});
const legs = fc.uniqueArray(leg, { selector: ({ legId }) => legId, minLength: 1, maxLength: 5 });

describe("the legs of a refund", () => {
  it("add up to it to the paisa, and none takes more than is left of it", () => {
    fc.assert(
      fc.property(legs, fc.bigInt({ min: 1n, max: 6_000_000n }), (paid, amountPaise) => {
        const left = paid.reduce((sum, { leftPaise }) => sum + leftPaise, 0n);
        const split = splitOverLegs(paid, amountPaise);
        if (!split.ok) {
          expect(split.code === "EXCEEDS_PAID").toBe(amountPaise > left);
          return;
        }
        expect(split.shares.reduce((sum, share) => sum + share.amountPaise, 0n)).toBe(amountPaise);
        for (const share of split.shares) {
          const of = paid.find(({ legId }) => legId === share.legId);
          expect(share.amountPaise > 0n && share.amountPaise <= (of?.leftPaise ?? 0n)).toBe(true);
          if (share.kind === "card") expect(share.amountPaise >= 100n).toBe(true);
        }
      }),
    );
  });

  it("are card before wallet before referral credit", () => {
    const paid: LegLeft[] = [
      { legId: "c", kind: "referral_credit", leftPaise: 500n },
      { legId: "b", kind: "wallet", leftPaise: 500n },
      { legId: "a", kind: "card", leftPaise: 500n },
    ];

    expect(splitOverLegs(paid, 700n)).toEqual({
      ok: true,
      shares: [
        { legId: "a", kind: "card", amountPaise: 500n },
        { legId: "b", kind: "wallet", amountPaise: 200n },
      ],
    });
  });

  it("go by another leg where the card's share is less than the provider sends", () => {
    const wallet: LegLeft = { legId: "b", kind: "wallet", leftPaise: 500n };
    const card: LegLeft = { legId: "a", kind: "card", leftPaise: 99n };

    expect(splitOverLegs([card, wallet], 150n)).toEqual({
      ok: true,
      shares: [{ legId: "b", kind: "wallet", amountPaise: 150n }],
    });
    expect(splitOverLegs([card, wallet], 599n)).toMatchObject({ code: "CARD_SHARE_TOO_SMALL" });
  });
});
