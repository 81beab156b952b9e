import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A node of a plan that PostgreSQL really carried out. */
export interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Index Cond"?: string;
  "Recheck Cond"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

export interface SeenPlan {
  sql: string;
  plan: PlanNode;
}

/**
 * What makes a session send the plan of each of its statements, those within triggers included, to its
 * client as a notice: PostgreSQL's own `auto_explain`.
 */
export const EXPLAIN_EVERYTHING: readonly string[] = [
  "session_preload_libraries = 'auto_explain'",
  "auto_explain.log_min_duration = 0",
  "auto_explain.log_level = 'notice'",
  "auto_explain.log_format = 'json'",
  "auto_explain.log_analyze = on",
  "auto_explain.log_timing = off",
  "auto_explain.log_nested_statements = on",
  "client_min_messages = 'notice'",
];

/** A line to a database that reads the plans that pass by. */
export async function openPlanReader(
  url: string,
): Promise<{ url: string; plans: SeenPlan[]; close(): Promise<void> }> {
  const target = new URL(url);
  const plans: SeenPlan[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const notices = createNoticeReader();
    upstream.on("data", (bytes: Buffer) => {
      for (const text of notices(bytes)) {
        const json = text.slice(text.indexOf("{"));
        const { "Query Text": sql, Plan: plan } = JSON.parse(json) as {
          "Query Text": string;
          Plan: PlanNode;
        };
        plans.push({ sql: sql.replace(/\s+/g, " ").trim(), plan });
      }
    });
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    plans,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Every node of a plan, the root first. */
export function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodesOf(child);
}

/** The texts of the plans among what a server sends. */
function createNoticeReader(): (bytes: Buffer) => string[] {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const texts: string[] = [];
    while (rest.length >= 5) {
      const end = 1 + rest.readInt32BE(1);
      if (rest.length < end) break;
      if (rest.readUInt8(0) === NOTICE) {
        // Fields: a letter, a text, a zero byte; `M` is the message.
        const fields = rest.toString("utf8", 5, end).split("\0");
        const message = fields.find((field) => field.startsWith("M"))?.slice(1) ?? "";
        if (message.startsWith("duration:")) texts.push(message);
      }
      rest = rest.subarray(end);
    }
    return texts;
  };
}

const NOTICE = "N".charCodeAt(0);
