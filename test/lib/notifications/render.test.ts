import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { PAYEE_TEMPLATES } from "../../../lib/notifications/mail.ts";
import { USER_TEMPLATES } from "../../../lib/notifications/shown.ts";
import { istInWords } from "../../../lib/support/calendar.ts";
import { MailNotRenderedError, renderMail } from "../../../lib/notifications/render.ts";
import { compose } from "../../../lib/notifications/smtp-mailer.ts";
import { SAMPLE_DATA } from "../../support/mail.ts";

const FROM = { from: { name: "The marketplace", address: "bookings@Marketplace.example" } };
const sent = async (mail: ReturnType<typeof renderMail>, name: string) => {
  const raw = await compose(
    { id: "8c1f0b9e", to: { name, address: "asha@buyers.example" }, ...mail },
    { ...FROM, replyTo: undefined },
  );
  return { raw: raw.toString("utf8"), mail: await simpleParser(raw) };
};

/** The others are not of a plan. */
const OF_A_PLAN = USER_TEMPLATES.filter(
  (template) => !PAYEE_TEMPLATES.some((each) => each === template),
);

it("the mail to a payee names its reader and the reason, and obeys neither", async () => {
  const data = { because: `<script>alert(1)</script>\r\nBcc: all@buyers.example {{name}}` };
  const name = `<b>Asha</b>\r\nBcc: all@buyers.example`;
  const rendered = renderMail("account-refused", { name, data });
  expect(rendered.html).not.toMatch(/<script|<b>/);
  expect(rendered.html).toContain("&lt;script&gt;alert(1)&lt;/script&gt; Bcc:");
  expect(rendered.text).toContain("{{name}}");
  const { mail } = await sent(rendered, name);
  expect(mail.bcc).toBeUndefined();
  expect(() => renderMail("account-refused", { name, data: {} })).toThrow(MailNotRenderedError);
});

describe.each(OF_A_PLAN)("the mail %s", (template) => {
  it("names the reader and the plan, and links to it, in text and HTML", () => {
    const { subject, text, html } = renderMail(template, { name: "Asha", data: SAMPLE_DATA });
    expect(subject).toContain("Yoga for beginners");
    for (const body of [text, html]) {
      expect(body).toContain("Hello Asha,");
      expect(body).toContain("Yoga for beginners");
      expect(body).toContain(SAMPLE_DATA.planUrl);
    }
    expect(`${subject}${text}${html}`).not.toMatch(/\{\{|\}\}|undefined|\[object/);
  });

  it("shows whatever the plan and the reader are called, and obeys none of it", async () => {
    const data = {
      ...SAMPLE_DATA,
      planTitle: `"Yoga" & <script>alert(1)</script> 🧘\r\nBcc: all@buyers.example\r\n\r\n{{name}}`,
    };
    const name = `<b>Asha</b>\r\nBcc: all@buyers.example, "x" <y@z.example>`;
    const rendered = renderMail(template, { name, data });
    expect(rendered.html).not.toMatch(/<script|<b>/);
    expect(rendered.html).toContain("&lt;script&gt;alert(1)&lt;/script&gt; 🧘 Bcc:");
    expect(rendered.text).toContain(`"Yoga" & <script>alert(1)</script> 🧘 Bcc:`);
    expect(rendered.text).toContain("{{name}}");

    const { mail } = await sent(rendered, name);
    expect(mail.bcc).toBeUndefined();
    expect(mail.subject).toBe(rendered.subject);
    expect(mail.to).toMatchObject({ value: [{ address: "asha@buyers.example" }] });
    expect(mail.html).toBe(rendered.html);
    expect(mail.headerLines.map(({ key }) => key).sort()).toEqual(
      [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
      ].sort(),
    );
  });

  it.each(Object.keys(SAMPLE_DATA))("is refused without a %s that it shows", (field) => {
    const data: Record<string, unknown> = { ...SAMPLE_DATA, [field]: undefined };
    const shows = renderMail(template, { name: "Asha", data: SAMPLE_DATA });
    const without = { name: "Asha", data };
    const value =
      { expiresAt: "IST", amountPaise: "₹", because: "closed", money: "by the way they were paid" }[
        field
      ] ?? "";
    if (!`${shows.text}${shows.subject}`.includes(value)) {
      expect(renderMail(template, without)).toEqual(shows);
    } else expect(() => renderMail(template, without)).toThrow(MailNotRenderedError);
  });
});

describe("the mail to operators about payouts in processing", () => {
  const payout = {
    payoutId: "8c1f0b9e",
    days: 3,
    said: "the provider has it as <b>processing</b>",
  };

  it("lists each with its age and what is said, and counts the rest", () => {
    const data = { payouts: [payout, { ...payout, payoutId: "7b2e" }], more: 5 };
    const { subject, text, html } = renderMail("payouts-in-processing", { name: "", data });
    expect(subject).toBe("Payouts have been in processing for three days or longer");
    expect(text).toContain(
      "- 8c1f0b9e: 3 days; the provider has it as <b>processing</b>\n- 7b2e: 3 days",
    );
    expect(text).toContain("and 5 more");
    expect(html).toContain(
      "<li>8c1f0b9e: 3 days; the provider has it as &lt;b&gt;processing&lt;/b&gt;</li>",
    );
    expect(`${text}${html}`).toContain("set as that of the operators");
    expect(`${text}${html}`).not.toMatch(/booking|\{\{|\[object/);
    const all = renderMail("payouts-in-processing", { name: "", data: { ...data, more: 0 } });
    expect(all.text).not.toContain("more");
  });

  it.each([{ payouts: [], more: 0 }, { payouts: [payout] }, { payouts: [{ days: 3 }], more: 0 }])(
    "is refused with %j",
    (data) => {
      expect(() => renderMail("payouts-in-processing", { name: "", data })).toThrow(
        MailNotRenderedError,
      );
    },
  );
});

it("bears the same Message-ID each time, of the row and of our domain", async () => {
  const rendered = renderMail("waitlist-expired", { name: "Asha", data: SAMPLE_DATA });
  for (let time = 0; time < 2; time += 1) {
    expect((await sent(rendered, "Asha")).mail.messageId).toBe(
      "<mail-8c1f0b9e@marketplace.example>",
    );
  }
});

it("shows amounts in rupees with Indian grouping, and instants in Indian time", () => {
  const { text } = renderMail("refund-processed", { name: "Asha", data: SAMPLE_DATA });
  expect(text).toContain("your refund of ₹1,23,456.00 for");
  expect(istInWords(new Date("2026-12-31T18:30:00Z"))).toBe("1 January 2027, 00:00 IST");
});

it.each([
  ["a link that is code", { planUrl: "javascript:alert(1)" }],
  ["an amount with a point", { amountPaise: "12.5" }],
  ["a number for an amount", { amountPaise: 1250 }],
  ["an empty title", { planTitle: "" }],
])("refuses %s", (_what, wrong) => {
  const data = { ...SAMPLE_DATA, ...wrong };
  expect(() => renderMail("refund-processed", { name: "Asha", data })).toThrow(
    MailNotRenderedError,
  );
});

it("refuses a time that is none", () => {
  const data = { ...SAMPLE_DATA, expiresAt: "tomorrow" };
  expect(() => renderMail("waitlist-offer", { name: "Asha", data })).toThrow(MailNotRenderedError);
});

it.each(["unheard-of", "__proto__", "../mail", "layout"])("knows no mail %s", (template) => {
  expect(() => renderMail(template, { name: "Asha", data: SAMPLE_DATA })).toThrow(
    MailNotRenderedError,
  );
});
