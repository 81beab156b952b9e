import * as z from "zod";
import type { Failure, SystemicFault } from "../provider/answer.ts";
import type { JsonValue } from "../provider/json.ts";
import { detail } from "./reading.ts";
import { scrubText, scrubWord } from "./redact-body.ts";

/** The content of an error body beyond its HTTP number. */
export interface Heard {
  /** The next request would meet the same fault. */
  fault: SystemicFault | undefined;
  /** The request may have been accepted all the same: a failure of the provider, or an earlier request. */
  doubt: "server-error" | "conflict" | undefined;
}

const providerError = z.object({
  error: z.object({
    code: z.string().min(1),
    reason: detail.catch(null),
    field: detail.catch(null),
    description: z.string().nullish().catch(null),
  }),
});

/** The provider's own refusal, or undefined when the body does not have the provider's format. */
export function readFailure(body: JsonValue): Failure | undefined {
  const parsed = providerError.safeParse(body);
  if (!parsed.success) return undefined;
  const { code, reason, field, description } = parsed.data.error;
  return {
    code: scrubWord(code),
    reason: reason === null ? null : scrubWord(reason),
    field: field === null ? null : scrubWord(field),
    description: scrubText(description ?? ""),
  };
}

/**
 * The documentation gives many errors as a sentence, without an HTTP number and without a reason that is
 * always filled. So the words count at every number. They never make a refusal more certain: they turn it
 * into a doubt, or into a fault that stops the run.
 */
export function hear(body: JsonValue): Heard {
  const { code, reason, source, description, statusCode } = readParts(body);
  const texts = [description, reason, code].map(plain).filter((text) => text !== "");
  const fault = FAULTS.find(({ words }) => texts.some((text) => isOneOf(text, words)))?.fault;
  if (texts.some(speaksOfEarlierRequest)) return { fault, doubt: "conflict" };
  const isServerSide =
    SERVER_SIDE_SOURCES.has(plain(source)) ||
    /^(server error|gateway )/.test(plain(reason)) ||
    SERVER_SIDE_CODES.has(plain(code)) ||
    statusCode >= 500 ||
    texts.some((text) => isOneOf(text, SERVER_SIDE));
  return { fault, doubt: isServerSide ? "server-error" : undefined };
}

interface Parts {
  code: string;
  reason: string;
  source: string;
  description: string;
  /** Older bodies repeat the HTTP number; 0 where there is none. */
  statusCode: number;
}

/** Tolerant, because a body that lost its code still says why. */
function readParts(body: JsonValue): Parts {
  const outer = asRecord(body);
  const error = asRecord(outer["error"]);
  const { statusCode } = outer;
  return {
    code: textOf(error["code"]),
    reason: textOf(error["reason"]),
    source: textOf(error["source"]),
    description: [error["description"], error["message"], outer["error"], outer["message"]]
      .map(textOf)
      .join(". "),
    statusCode: typeof statusCode === "number" ? statusCode : 0,
  };
}

function asRecord(value: JsonValue | undefined): { [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Longer than any sentence of the provider. */
const MOST_TEXT = 1_000;

/** Lower case, one blank between words, no punctuation: `Account doesn’t have…` is `account doesnt have`. */
function plain(text: string): string {
  return text
    .slice(0, MOST_TEXT)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{Cf}'’‘`´]/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function isOneOf(text: string, patterns: readonly RegExp[]): boolean {
  return patterns.some((pattern) => pattern.test(text));
}

/** The first that fits counts. All patterns read `plain` text. */
const FAULTS: readonly { fault: SystemicFault; words: readonly RegExp[] }[] = [
  {
    fault: "rate-limited",
    words: [
      /\btoo many (\w+ )?requests?\b/,
      /\brate limit/,
      /\bthrottl/,
      /\b(request|api) (rate|quota|limit) (is |was |has been )?exceeded\b/,
    ],
  },
  {
    fault: "not-allow-listed",
    words: [
      /\bips?\b.*\b(not|isnt|arent) (been )?(allowed|allow ?listed|white ?listed|permitted|authori[sz]ed|registered)\b/,
      /\b(not|isnt|arent) (allowed|permitted|accepted|authori[sz]ed)\b.*\b(from|for) (this|your|the) ips?\b/,
      /\bips?\b.*\b(blocked|denied|restricted|blacklisted|block ?listed)\b/,
      /\b(allow|white) ?list(ed)? (\w+ ){0,2}ips?\b/,
      /\b(access|request) (is |was |has been )?(denied|forbidden)\b/,
      /\boperation (is |was )?not (allowed|permitted)\b.*\b(contact|reach)\b.*\bsupport\b/,
      /\b(your account|merchant|your business) (\w+ )?(is |was |has been )?(suspended|blocked|deactivated|disabled|not activated|not live)\b/,
    ],
  },
  {
    fault: "credentials",
    words: [
      /\b(authentication|authori[sz]ation) (has |was )?(failed|error|unsuccessful)\b/,
      /\bapi (key|secret|credential)(\w+ |s? ){0,4}(is |are )?(invalid|incorrect|wrong|expired|inactive)\b/,
      /\b(invalid|incorrect|wrong|expired) (api )?(key|secret|credentials?)\b/,
      /\bprovide (\w+ )?api key\b/,
      /\b(oauth|access|bearer) token\b/,
    ],
  },
  {
    fault: "insufficient-balance",
    words: [
      /\b(insufficient|inadequate|low|not enough|no sufficient) (\w+ ){0,3}(balance|funds?)\b(?! account)/,
      /\b(not|doesnt|dont|didnt) have (\w+ ){0,2}(enough|sufficient|adequate|required) (\w+ ){0,3}(balance|funds?|money)\b(?! account)/,
      /\b(balance|funds) (\w+ ){0,5}(low|insufficient|inadequate|not enough|not sufficient)\b/,
    ],
  },
  {
    fault: "wrong-address",
    words: [
      /\b(url|endpoint|route)\b.*\b(not found|(does not|doesnt|did not) exist|not available)\b/,
      /\b(feature|product|service|api|payouts?|refunds?|razorpayx|banking)( api| apis)? (is |are |has |have )?(currently )?(not|isnt|arent) (been |yet )?(enabled|activated|available) (for|on|in) (your|this|the) (\w+ )?(account|merchant|business)\b/,
      /\bmerchant (\w+ ){0,3}not (been )?(enabled|activated)\b/,
    ],
  },
];

const SERVER_SIDE_CODES = new Set(["gateway error", "server error"]);

/** The provider's own side, and the bank through which it pays. */
const SERVER_SIDE_SOURCES = new Set(["internal", "gateway"]);

const SERVER_SIDE: readonly RegExp[] = [
  /\bfacing (some )?(trouble|issues?|problems?|difficult)/,
  /\b(something|anything) went wrong\b/,
  /\bserver (has )?(encountered|error)\b/,
  /\binternal (server )?error\b/,
  /\btechnical (error|issue|problem|glitch|difficult)/,
  /\b(temporarily|service) (is )?(unavailable|down)\b/,
  /\btimed out\b/,
];

/**
 * That a payout or refund under this key, or with this reference, exists or is being made. A sentence on the
 * form of the key (missing, too short) is a plain refusal.
 */
function speaksOfEarlierRequest(text: string): boolean {
  const isOfKey = /idempot/.test(text);
  const isOfForm =
    /\b(missing|mandatory|required|invalid|at least|at most|only contain|characters?|too (long|short))\b/;
  const isOfRepeat =
    /\b(already|same|different|differs?|earlier|previous(ly)?|prior|another|exist(s|ing)?|in progress|processed|used|reused|duplicate|first|conflict|mismatch|match)\b/;
  if (isOfKey) return isOfRepeat.test(text) || !isOfForm.test(text);
  return isOneOf(text, EARLIER_REQUEST);
}

const EARLIER_REQUEST: readonly RegExp[] = [
  /\bduplicate (receipt|reference|request|payout|refund|transaction)\b/,
  /\b(receipt|reference|reference id|request|payout|refund) (\w+ ){0,6}already (been )?(exists?|used|processed|created|made|taken|received|submitted|initiated)\b/,
  /\balready (exists?|used|processed|created|received|initiated) (\w+ ){0,3}(with|for|under|against) (this|the|that|same) (\w+ )?(receipt|reference|request)\b/,
  /\b(request|payout|refund|operation|transaction)\b.*\b(is|are|still|already|currently) (\w+ )?(in progress|being processed|under process\w*|processing)\b/,
];
