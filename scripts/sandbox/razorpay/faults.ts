import * as z from "zod";
import { REFUND_STATES } from "./checkout-states.ts";
import { ROUTES } from "./routes.ts";
import { PAYOUT_STATES } from "./states.ts";

const text = z.string().min(1);
const milliseconds = z.int().min(0).max(3_600_000);

/** Each of these answers the request in its own way, so a fault has at most one of them. */
const ANSWERS = ["status", "dropBefore", "dropAfter", "malformed", "hang"] as const;
/** These bend the course of the payout or refund that the request makes. */
const COURSES = ["endState", "initialState", "lowBalance", "oldDetails", "noMode"] as const;
/** Those that only a payout has. */
const OF_PAYOUTS = ["oldDetails", "noMode"] as const;
const OTHERS = ["delayMs", "acceptAfterMs"] as const;

/** Where the bank takes a payout from `processing`, or an approver one from `pending`. */
export const PAYOUT_ENDS = ["processed", "failed", "reversed", "processing", "rejected"] as const;

/** Fields of an error that the provider leaves out at times. */
const LEFT_OUT = ["reason", "source", "step", "description", "metadata", "field"] as const;

const REFUND = "POST /payments/:id/refund";

/** The calls whose record has a course to bend, and the states that it may be bent to. */
const COURSE_STATES = new Map<string, Record<"initialState" | "endState", readonly string[]>>([
  ["POST /payouts", { initialState: PAYOUT_STATES, endState: PAYOUT_ENDS }],
  [REFUND, { initialState: REFUND_STATES, endState: REFUND_STATES }],
]);

const matchSchema = z.strictObject({
  reference_id: text.optional(),
  amount: z.int().optional(),
  /** The payee's account number, never ours. */
  account_number: text.optional(),
  vpa: text.optional(),
  /** `reference_id` of the payee's contact. */
  contact_reference: text.optional(),
  mode: text.optional(),
  idempotency_key: text.optional(),
  order_id: text.optional(),
  payment_id: text.optional(),
  /** Of an order or a refund. */
  receipt: text.optional(),
});

const faultSchema = z
  .strictObject({
    on: z.enum([...ROUTES, "*"], {
      error: `expected "*" or one of: ${ROUTES.join(", ")}`,
    }),
    match: matchSchema.optional(),
    times: z.union([z.literal(-1), z.int().min(1)]).default(1),
    skip: z.int().min(0).default(0),
    status: z.int().min(400).max(599).optional(),
    error: z
      .strictObject({
        code: text.optional(),
        reason: text.nullable().optional(),
        description: text.nullable().optional(),
        source: text.nullable().optional(),
        step: text.nullable().optional(),
        field: text.nullable().optional(),
        /** Left out of the body altogether. */
        without: z.array(z.enum(LEFT_OUT)).optional(),
      })
      .optional(),
    /** The error body as older answers have it: its HTTP number beside the error. */
    oldBody: z.literal(true).optional(),
    retryAfter: z.int().min(0).optional(),
    accept: z.boolean().optional(),
    delayMs: milliseconds.optional(),
    acceptAfterMs: milliseconds.optional(),
    dropBefore: z.literal(true).optional(),
    dropAfter: z.literal(true).optional(),
    malformed: z.literal(true).optional(),
    hang: z.literal(true).optional(),
    initialState: z.enum([...PAYOUT_STATES, ...REFUND_STATES]).optional(),
    endState: z.enum([...PAYOUT_ENDS, ...REFUND_STATES]).optional(),
    endReason: text.optional(),
    lowBalance: z.literal(true).optional(),
    /** The payout says why it is in its state in the older fields alone: `error`, `failure_reason`. */
    oldDetails: z.literal(true).optional(),
    /** The payout is shown with `mode: null`. */
    noMode: z.literal(true).optional(),
  })
  .superRefine((fault, context) => {
    const complain = (field: string, message: string): void =>
      context.addIssue({ code: "custom", path: [field], message });
    const answers = ANSWERS.filter((name) => fault[name] !== undefined);
    const courses = COURSES.filter((name) => fault[name] !== undefined);
    const [answer, second] = answers;
    const course = courses[0];

    if (second !== undefined)
      complain(second, `cannot stand beside ${String(answer)}: a request gets one answer`);
    if (
      answer === undefined &&
      course === undefined &&
      OTHERS.every((name) => fault[name] === undefined)
    )
      complain("on", `no effect: add one of ${[...ANSWERS, ...COURSES, ...OTHERS].join(", ")}`);
    if (fault.accept !== undefined && answer !== "status" && answer !== "hang")
      complain("accept", "needs status or hang");
    if (fault.error && answer !== "status") complain("error", "needs status");
    if (fault.oldBody && answer !== "status") complain("oldBody", "needs status");
    if (fault.endState === "rejected" && (fault.initialState ?? "pending") !== "pending")
      complain("initialState", "only a payout that is pending can be rejected");
    for (const field of OF_PAYOUTS)
      if (fault[field] && fault.on !== "POST /payouts")
        complain(field, 'needs on: "POST /payouts"');
    if (fault.retryAfter !== undefined && answer !== "status")
      complain("retryAfter", "needs status");
    if (fault.endReason !== undefined && !fault.endState && !fault.initialState)
      complain("endReason", "needs endState or initialState");
    if (fault.lowBalance && fault.initialState)
      complain("lowBalance", "cannot stand beside initialState");
    const choices = COURSE_STATES.get(fault.on);
    if (course !== undefined && !choices)
      complain(course, `needs on: "${[...COURSE_STATES.keys()].join('" or "')}"`);
    for (const field of ["initialState", "endState"] as const) {
      const state = fault[field];
      if (state !== undefined && choices && !choices[field].includes(state))
        complain(field, `on ${fault.on}, expected one of: ${choices[field].join(", ")}`);
    }
    if (fault.endReason !== undefined && fault.on === REFUND)
      complain("endReason", "a refund has no reason");
    if (course !== undefined && !acceptsRequest(fault))
      complain(course, `has no effect, because ${String(answer)} accepts nothing`);
  });

/** A fault as a user writes it; the defaults may be left out. */
export type Fault = z.input<typeof faultSchema>;
/** A fault with its defaults filled in. */
export type CompleteFault = z.output<typeof faultSchema>;

/** The message names the fault and the field, `faults[2].match.vpa: …`. */
export class InvalidFault extends Error {
  override readonly name = "InvalidFault";
}

/** One fault or an array of them. Throws `InvalidFault`; unknown fields are never ignored. */
export function parseFaults(value: unknown): CompleteFault[] {
  const list = Array.isArray(value) ? value : [value];
  const parsed = z.array(faultSchema).safeParse(list);
  if (parsed.success) return parsed.data;
  const messages = parsed.error.issues.map((issue) => {
    const [index, ...path] = issue.path;
    return `${[`faults[${String(index)}]`, ...path.map(String)].join(".")}: ${issue.message}`;
  });
  throw new InvalidFault(messages.join("; "));
}

/** Whether the request is processed although it is not answered as usual. */
export function acceptsRequest(
  fault: Pick<CompleteFault, "status" | "hang" | "dropBefore" | "accept">,
): boolean {
  if (fault.dropBefore) return false;
  if (fault.status !== undefined || fault.hang) return fault.accept ?? false;
  return true;
}
