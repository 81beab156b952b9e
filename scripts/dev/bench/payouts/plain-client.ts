import { fileURLToPath, pathToFileURL } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import type { PanStatus, PayeeCategory } from "../../../../lib/tds/types.ts";

/** As much of a model of Prisma Client as the plain way uses. */
interface Model<Row> {
  findMany(query: object): Promise<Row[]>;
  findFirst(query: object): Promise<Row | null>;
  findFirstOrThrow(query: object): Promise<Row>;
  findUniqueOrThrow(query: object): Promise<Row>;
  count(query: object): Promise<number>;
  create(query: object): Promise<Row>;
  createMany(query: object): Promise<{ count: number }>;
  update(query: object): Promise<Row>;
  updateMany(query: object): Promise<{ count: number }>;
}

export interface PlainSession {
  payout: Model<{
    id: string;
    consultantId: string;
    amountPaise: bigint;
    netPaise: bigint | null;
    taxPaise: bigint | null;
  }>;
  payoutItem: Model<{
    earningId: string;
    grossPaise: bigint;
    amountPaise: bigint;
    earning: { creditedOn: Date };
  }>;
  payoutAccount: Model<{
    id: string;
    kind: "bank_account" | "vpa";
    providerFundAccountId: string | null;
  }>;
  payoutAttempt: Model<{ id: string; idempotencyKey: string }>;
  taxProfile: Model<{
    category: PayeeCategory;
    resident: boolean;
    panStatus: PanStatus;
    aadhaar: boolean;
  }>;
  lowerDeductionCertificate: Model<object>;
  taxDeduction: Model<object>;
  earning: Model<object>;
  ledgerTransaction: Model<{ id: string }>;
  ledgerAccount: Model<{ id: string }>;
  ledgerEntry: Model<object>;
  $queryRaw<T>(strings: TemplateStringsArray, ...values: unknown[]): Promise<T>;
}

export interface PlainClient extends PlainSession {
  $transaction<T>(body: (tx: PlainSession) => Promise<T>): Promise<T>;
  $disconnect(): Promise<void>;
}

const MODULE = fileURLToPath(
  new URL("../../../../.cache/prisma-client/client.ts", import.meta.url),
);

/** A client that `scripts/dev/generate.mjs` has made; nothing that is shipped needs one. */
export async function openPlainClient(url: string): Promise<PlainClient> {
  const { PrismaClient } = (await import(pathToFileURL(MODULE).href)) as {
    PrismaClient: new (options: { adapter: PrismaPg }) => PlainClient;
  };
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 1 }) });
}
