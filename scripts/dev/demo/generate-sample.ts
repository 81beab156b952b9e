import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Random } from "../../../lib/support/random.ts";
import { below, pick, seededRandom } from "./dice.ts";
import {
  CONSULTANTS,
  LARGE_WEEKS,
  sampleConsultant,
  type SampleConsultant,
} from "./sample-consultants.ts";

/** The file that this script writes, beside it. */
export const samplePath = fileURLToPath(new URL("sample-earnings.csv", import.meta.url));

const SEED = 20_261_115;
/** A week from Sunday to Saturday. */
const DAYS = [15, 16, 17, 18, 19, 20, 21].map((day) => `2026-11-${day}`);

const HEADER =
  "consultant,name,category,pan,pan_status,aadhaar,ifsc,account_number,vpa,booking_reference,credit_date,gross,platform_fee";

/** A made-up week of a marketplace as finance would export it: always the same text. */
export function generateSample(): string {
  const random = seededRandom(SEED);
  const sales: Sale[] = [];
  for (let number = 1; number <= CONSULTANTS; number++) {
    sales.push(...salesOf(sampleConsultant(number, random), random));
  }
  sales.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  const lines = sales.map((sale, index) => csvLine(sale, index + 1));
  return [HEADER, ...lines, ""].join("\n");
}

interface Sale {
  consultant: SampleConsultant;
  day: string;
  grossPaise: number;
  feePaise: number;
}

function salesOf(consultant: SampleConsultant, random: Random): Sale[] {
  const feePercent = 10 + below(11, random);
  const large = LARGE_WEEKS.get(consultant.number);
  const count = large?.sales ?? 3 + below(4, random);
  return Array.from({ length: count }, () => {
    const grossPaise = large ? large.grossRupees * 100 : ordinaryGrossPaise(consultant, random);
    const feePaise = Math.floor((grossPaise * feePercent) / 100);
    return { consultant, day: pick(DAYS, random), grossPaise, feePaise };
  });
}

/** Most sales are small: between ₹300 and ₹25,000, to the half rupee; less where a VPA is paid. */
function ordinaryGrossPaise({ vpa }: SampleConsultant, random: Random): number {
  const largestRupees = vpa === "" ? 25_000 : 15_000;
  const share = random() ** 2;
  return 30_000 + Math.floor(share * (largestRupees - 300) * 2) * 50;
}

function csvLine({ consultant, day, grossPaise, feePaise }: Sale, serial: number): string {
  const { code, name, category, pan, panStatus, aadhaar, ifsc, accountNumber, vpa } = consultant;
  const booking = `BK-${day.replaceAll("-", "")}-${String(serial).padStart(4, "0")}`;
  const payee = [code, name, category, pan, panStatus, aadhaar ? "yes" : "no"];
  const account = [ifsc, accountNumber, vpa];
  return [...payee, ...account, booking, day, rupees(grossPaise), rupees(feePaise)].join(",");
}

function rupees(paise: number): string {
  return `${Math.floor(paise / 100)}.${String(paise % 100).padStart(2, "0")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(samplePath, generateSample());
  console.log(`wrote ${samplePath}`);
}
