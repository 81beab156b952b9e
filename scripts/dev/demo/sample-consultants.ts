import type { Random } from "../../../lib/support/random.ts";
import type { PanStatus, PayeeCategory } from "../../../lib/earnings/types.ts";
import { refusedAccounts, timeoutAccounts } from "./bad-accounts.ts";
import { below, digits, letters, pick } from "./dice.ts";

export interface SampleConsultant {
  /** 1 to 220; the code is `C-001` to `C-220`. */
  number: number;
  code: string;
  name: string;
  category: PayeeCategory;
  pan: string;
  panStatus: PanStatus;
  aadhaar: boolean;
  ifsc: string;
  accountNumber: string;
  vpa: string;
}

export const CONSULTANTS = 220;

/** People whose week is large: made by hand below, each with a bank account. */
export const LARGE_WEEKS = new Map([
  /** An individual beyond ₹5,00,000: the exemption ends within the week. */
  [105, { sales: 12, grossRupees: 46_000 }],
  /** An individual at exactly ₹5,00,000: still exempt. */
  [118, { sales: 10, grossRupees: 50_000 }],
  /** A company whose payout is beyond ₹5,00,000: too large for IMPS, so it goes by RTGS. */
  [200, { sales: 10, grossRupees: 72_000 }],
]);

/** Consultants with a fate of their own at the demo's provider, by number. */
const BAD_ACCOUNTS = new Map(
  [...refusedAccounts, ...timeoutAccounts].map((account) => [Number(account.slice(-3)), account]),
);

export function sampleConsultant(number: number, random: Random): SampleConsultant {
  const category = categoryOf(number);
  const name = nameOf(category, random);
  const panStatus = panStatusOf(number);
  const pan = panStatus === "missing" ? "" : makePan(category, name, random);
  const bad = BAD_ACCOUNTS.get(number);
  const byVpa =
    category === "individual" && bad === undefined && !LARGE_WEEKS.has(number) && random() < 0.4;
  const serial = String(number).padStart(3, "0");
  const hasAadhaar = panStatus === "missing" ? number % 2 === 0 : random() < 0.5;
  return {
    number,
    code: `C-${serial}`,
    name,
    category,
    pan,
    panStatus,
    aadhaar: category === "individual" && hasAadhaar,
    ifsc: byVpa ? "" : pick(BRANCHES, random),
    accountNumber: byVpa ? "" : (bad ?? digits(11 + below(5, random), random)),
    vpa: byVpa ? `${name.split(" ")[0]?.toLowerCase() ?? "payee"}.${serial}@demobank` : "",
  };
}

/** 184 individuals, then 8 families, 12 companies, 10 firms and 6 others. */
function categoryOf(number: number): PayeeCategory {
  if (number <= 184) return "individual";
  if (number <= 192) return "huf";
  if (number <= 204) return "company";
  if (number <= 214) return "firm";
  return "other";
}

function panStatusOf(number: number): PanStatus {
  if (number >= 120 && number < 134) return "missing";
  if (number >= 140 && number < 146) return "inoperative";
  if (number === 203 || number === 212) return "missing";
  return "valid";
}

function makePan(category: PayeeCategory, name: string, random: Random): string {
  const kind = { individual: "P", huf: "H", company: "C", firm: "F", other: "T" }[category];
  const initial = name.split(" ").at(-1)?.charAt(0) ?? "Z";
  return `ZZ${letters(1, random)}${kind}${initial}${digits(4, random)}${letters(1, random)}`;
}

function nameOf(category: PayeeCategory, random: Random): string {
  const surname = pick(SURNAMES, random);
  switch (category) {
    case "individual":
      return `${pick(GIVEN_NAMES, random)} ${surname}`;
    case "huf":
      return `${surname} Family HUF`;
    case "company":
      return `${pick(PLACES, random)} ${pick(TRADES, random)} Private Limited`;
    case "firm":
      return `${pick(PLACES, random)} ${pick(TRADES, random)} LLP`;
    case "other":
      return `${pick(PLACES, random)} ${pick(TRADES, random)} Trust`;
  }
}

const GIVEN_NAMES = [
  ...["Aarav", "Aditi", "Ananya", "Arjun", "Bhavna", "Charu", "Deepak", "Divya", "Farhan", "Gauri"],
  ...["Harish", "Indira", "Ishaan", "Jaya", "Kabir", "Kavya", "Lakshmi", "Manoj", "Meera", "Mohit"],
  ...["Nandini", "Naveen", "Omkar", "Pooja", "Pranav", "Radha", "Rahul", "Rekha", "Rohan", "Sana"],
  ...["Sanjay", "Shreya", "Sunil", "Tara", "Uma", "Varun", "Vidya", "Vikram", "Yamini", "Zoya"],
];

const SURNAMES = [
  ...["Acharya", "Banerjee", "Bhat", "Chandra", "Chavan", "Das", "Desai", "Dutta", "Fernandes"],
  ...["Ghosh", "Gupta", "Hegde", "Iyer", "Jain", "Joshi", "Kamath", "Khan", "Kulkarni", "Kumar"],
  ...["Menon", "Mishra", "Nair", "Naidu", "Pai", "Patel", "Pillai", "Rao", "Reddy", "Sethi"],
  ...["Shah", "Sharma", "Singh", "Sinha", "Thakur", "Varma", "Yadav"],
];

const PLACES = [
  ...["Banyan", "Deccan", "Godavari", "Kaveri", "Konkan", "Malabar", "Narmada", "Nilgiri"],
  ...["Peepal", "Sahyadri", "Tapti", "Vindhya"],
];

const TRADES = ["Counsel", "Fitness", "Learning", "Nutrition", "Studio", "Wellness", "Yoga"];

/** Branches that exist. */
const BRANCHES = [
  ...["HDFC0001220", "HDFC0003982", "HDFC0008145", "ICIC0000862", "ICIC0002951", "ICIC0006121"],
  ...["SBIN0002655", "SBIN0009611", "SBIN0030292", "UTIB0000672", "UTIB0002460", "UTIB0004863"],
  ...["KKBK0000693", "KKBK0003036", "KKBK0007702", "PUNB0040720", "PUNB0153310", "PUNB0519800"],
  ...["IDFB0021029", "IDFB0040421", "BARB0BRIJXX", "BARB0SIONCI", "CNRB0001243", "FDRL0001105"],
  ...["INDB0000245", "UBIN0540986", "IOBA0001697", "KARB0000358", "YESB0000345", "YESB0001235"],
];
