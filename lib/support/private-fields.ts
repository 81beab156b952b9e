/**
 * A field is private when its name ends with one of these words, in any spelling: `payeeEmail`, `PAYEE-EMAIL`.
 */
const PRIVATE_ENDS = new Set(
  (
    "aadhaar aadhar address auth authorization beneficiary card cardholder contact cookie credential dob email " +
    "gstin mail mobile name pan passphrase passwd password phone phonenumber pin pwd secret telephone token upi " +
    "username vpa whatsapp"
  ).split(" "),
);

/** Names that end with two words, the second of which alone says nothing. */
const PRIVATE_PAIRS = new Set(
  (
    "access key,account no,account num,account number,acct number,api key,bank account,birth date,connection string," +
    "database url,date birth,encryption key,heartbeat url,private key,redis url,secret key,signing key,smtp url," +
    "upi handle,upi id"
  ).split(","),
);

/** Words that may follow a private one and change nothing: `phoneNumber`, `email_address`, `pan_no`. */
const TAIL = new Set(["no", "num", "number", "address", "value", "text", "raw"]);

/** A `…Name` or `…Address` of one of these is that of a thing. */
const THINGS = new Set(
  (
    "application base bind check class column command constraint database env environment event field file flag " +
    "function host index ip job listen lock mac method module mode queue reason remote role schema script server " +
    "step table template type variable workflow"
  ).split(" "),
);

/** Whether a field holds personal data or a secret, by its name. Numbers under a plural are counts: `emails: 3`. */
export function isPrivateField(field: string, value: unknown): boolean {
  const kind = kindOf(field);
  if (kind === "plural") return typeof value !== "number" && typeof value !== "boolean";
  return kind === "private";
}

type Kind = "private" | "plural" | "open";

/** Names of fields are few, and each is asked for on every line of a log. */
const known = new Map<string, Kind>();
const MOST_KNOWN = 2_000;
const LONGEST_NAME = 100;

function kindOf(field: string): Kind {
  let kind = known.get(field);
  if (kind === undefined) {
    kind = computed(field);
    if (known.size < MOST_KNOWN && field.length <= LONGEST_NAME) known.set(field, kind);
  }
  return kind;
}

function computed(field: string): Kind {
  const words = wordsOf(field);
  if (endsPrivately(words)) return "private";
  const last = words.at(-1) ?? "";
  const isPlural = last.length > 3 && last.endsWith("s");
  return isPlural && endsPrivately([...words.slice(0, -1), last.slice(0, -1)]) ? "plural" : "open";
}

function endsPrivately(words: readonly string[]): boolean {
  const last = words.at(-1) ?? "";
  const before = words.at(-2) ?? "";
  if (PRIVATE_PAIRS.has(`${before} ${last}`)) return true;
  const isOfThing = THINGS.has(before) && (last === "name" || last === "address");
  if (PRIVATE_ENDS.has(last) && !isOfThing) return true;
  return TAIL.has(last) && words.length > 1 && endsPrivately(words.slice(0, -1));
}

/** `payeeEMail_2` is `payee email`: words in lower case, without digits. */
function wordsOf(field: string): string[] {
  return field
    .slice(-LONGEST_NAME)
    .normalize("NFKC")
    .replace(/e-?mail/gi, "_email_")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== "" && word !== "of");
}
