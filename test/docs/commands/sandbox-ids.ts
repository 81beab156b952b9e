import { SANDBOX_DEFAULTS } from "../../../scripts/sandbox/razorpay/sandbox.ts";

/** What `npm run sandbox` prints once it listens. */
export const sandboxReady = /Stop it with Ctrl-C/;

const KINDS = ["order", "pay", "rfnd", "pout", "disp"] as const;
type Kind = (typeof KINDS)[number];

/**
 * The ids of the provider in the commands of a page: an id of an example stands for the last one that a command
 * answered, and one that is cut short (`pay_…`) for one that can make the move that the page shows. In a body, a payment
 * that is cut short is captured.
 */
export function rememberIds(): {
  see: (answer: string) => void;
  fillIn: (command: string) => string;
  /** Makes a payout, payments and a refund on the sandbox at this port. */
  prepare: (port: number) => Promise<void>;
} {
  const last = new Map<Kind, string>();
  const movable = new Map<Kind, string>();
  let captured = "";
  return {
    see: (answer) => {
      // The first id of an answer is that of what it is about.
      for (const kind of KINDS) {
        const [, id] = new RegExp(`"id":\\s*"(${kind}_\\w+)"`).exec(answer) ?? [];
        if (id !== undefined) last.set(kind, id);
      }
    },
    fillIn: (command) =>
      KINDS.reduce(
        (text, kind) =>
          text
            .replace(new RegExp(`\\b${kind}_1cd948\\d+`, "g"), (id) => last.get(kind) ?? id)
            .replace(
              new RegExp(`\\b${kind}_…`, "g"),
              (id) => movable.get(kind) ?? last.get(kind) ?? id,
            ),
        command.replace('"paymentId": "pay_…"', `"paymentId": "${captured}"`),
      ),
    prepare: async (port) => {
      const post = poster(port);
      last.set("pout", await makePayout(post));
      const order = await post("/__sandbox/orders", { amountPaise: 10_000, receipt: "prepared" });
      const waiting = { orderId: order.id, status: "created" };
      movable.set("pay", (await post("/__sandbox/payments", waiting)).id);
      const paid = await post("/__sandbox/orders", { amountPaise: 10_000, receipt: "paid" });
      const payment = await post("/__sandbox/payments", { orderId: paid.id });
      const refund = await post(`/v1/payments/${payment.id}/refund`, { amount: 10_000 });
      movable.set("rfnd", refund.id);
      const sold = await post("/__sandbox/orders", { amountPaise: 50_000, receipt: "sold" });
      captured = (await post("/__sandbox/payments", { orderId: sold.id })).id;
    },
  };
}

type Post = (path: string, body: object) => Promise<{ id: string }>;

function poster(port: number): Post {
  const { keyId, keySecret } = SANDBOX_DEFAULTS;
  return async (path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`,
        "content-type": "application/json",
        "x-payout-idempotency": crypto.randomUUID(),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text) as { id: string };
  };
}

async function makePayout(post: Post): Promise<string> {
  const contact = await post("/v1/contacts", { name: "Asha Example" });
  const account = await post("/v1/fund_accounts", {
    contact_id: contact.id,
    account_type: "bank_account",
    bank_account: { name: "Asha Example", ifsc: "HDFC0001220", account_number: "912345678901" },
  });
  const payout = await post("/v1/payouts", {
    account_number: SANDBOX_DEFAULTS.accountNumber,
    fund_account_id: account.id,
    amount: 100_000,
    currency: "INR",
    mode: "IMPS",
    purpose: "payout",
    reference_id: "payout-1",
  });
  return payout.id;
}
