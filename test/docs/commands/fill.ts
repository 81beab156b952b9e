import type { CommandWorld } from "./world.ts";

/**
 * A command of the pages as somebody types it: what is optional is given, and each placeholder and each id of
 * an example is replaced by one of this world.
 */
export function fillIn(command: string, world: CommandWorld): string {
  const optionalGiven = command.replace(/\[(--[^\]]*)\]/g, "$1");
  return RULES.filter(({ of }) => of.test(optionalGiven)).reduce(
    (text, { from, to }) => text.replace(from, () => to(world, text)),
    optionalGiven,
  );
}

interface Rule {
  of: RegExp;
  from: RegExp;
  to: (world: CommandWorld, command: string) => string;
}

const ANY = /^/;
const UUID = /\b8c1f0b9e(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b8c1f0b9e\b/;

const RULES: readonly Rule[] = [
  { of: /payouts -- approve/, from: /ID…/, to: ({ payouts }) => payouts.pending[0] ?? "" },
  // Of a batch that made none of them.
  { of: /payouts -- approve/, from: /\bRUN\b/, to: () => "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42" },
  { of: /payouts -- reject/, from: /ID…/, to: ({ payouts }) => payouts.pending[1] ?? "" },
  { of: /payouts -- retry/, from: /ID…/, to: ({ payouts }) => payouts.failed },
  { of: /payouts -- show/, from: UUID, to: ({ payouts }) => payouts.failed },
  { of: /payouts -- show/, from: /\bID\b/, to: ({ payouts }) => payouts.failed },
  // Of the consultant whose payout is neither approved nor rejected above.
  { of: /payouts -- (hold|release)/, from: /\bCONSULTANT\b/, to: (w) => w.consultants.holding },
  { of: /payouts -- mail-address/, from: /\bCONSULTANT\b/, to: (w) => w.consultants.other },
  { of: /payouts -- mail-address/, from: /\[ADDRESS\]/, to: () => "payee@payees.example" },
  { of: /tds -- (relief|certificate|likely)/, from: /\bC-1042\b/, to: (w) => w.consultants.other },
  { of: /payouts -- statement/, from: /\bC-1001\b/, to: (w) => w.consultants.other },
  { of: /payouts -- organization/, from: /\bCONSULTANT\b/, to: (w) => w.consultants.other },
  { of: /payouts -- release/, from: /\bKIND\b/, to: () => "open_dispute" },
  { of: /payouts -- organization/, from: /\bREF\b/, to: () => "acme" },
  { of: /findings -- (show|resolve)/, from: UUID, to: (w) => w.findingId },
  { of: /findings -- (show|resolve)/, from: /\bID\b/, to: (w) => w.findingId },
  { of: /mails -- requeue/, from: /\bID\b/, to: (w) => w.mailId },
  { of: /payments -- (show|refund)/, from: /\b(PAYMENT|ID)\b/, to: (w) => w.paymentId },
  { of: /plans -- (show|cancel)/, from: /\b(PLAN|ID)\b/, to: (w) => w.planId },
  { of: /cancel-pending/, from: /\bPAYMENT\b/, to: (w) => w.checkout.paymentId },
  { of: /cancel-pending/, from: /\bUSER\b/, to: (w) => w.checkout.userId },
  { of: /jobs -- (run|check|last)/, from: /\bNAME\b/, to: () => "payouts/process-payouts" },
  { of: ANY, from: /(?<=--reason )TEXT\b/, to: () => "'as a test says'" },
  { of: ANY, from: /(?<=--(by|name) )NAME\b/, to: () => "Asha" },
  { of: ANY, from: /--port \d+/, to: ({ port }) => `--port ${port}` },
  // The account that every command of the page has an answer for: a Lite account collects no fees.
  { of: /^npm run sandbox\b/, from: /$/, to: () => " --account-kind current" },
  { of: ANY, from: /(?<=127\.0\.0\.1:)45\d\d\b/g, to: ({ port }) => String(port) },
  // A day that lies ahead whenever the test runs.
  { of: /maintenance -- /, from: /\b20\d\d-\d\d-\d\dT/, to: () => `${inTwoDays()}T` },
  // Files of the reader's own.
  { of: ANY, from: /(?<=[ <>] ?)(week\.csv|register\.csv|credits\.jsonl)\b/, to: inFolder },
  { of: ANY, from: /\.cache\/mails/, to: ({ folder }) => `${folder}/mails` },
];

function inTwoDays(): string {
  return new Date(Date.now() + 2 * 24 * 3_600_000).toISOString().slice(0, 10);
}

function inFolder({ folder }: CommandWorld, command: string): string {
  const [name = ""] = /(week\.csv|register\.csv|credits\.jsonl)/.exec(command) ?? [];
  return `${folder}/${name}`;
}
