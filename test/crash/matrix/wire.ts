/** As much of PostgreSQL's protocol as it takes to see statements go by and answers come back. */

/** A statement on its way to the server, and the values that travel with it as text. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly string[];
}

/** What a client has sent up to the point where it waits for the server. */
export interface ClientRequest {
  readonly bytes: Buffer;
  /** Undefined for what is no statement: the start of a session, its end. */
  readonly statement: Statement | undefined;
}

interface Frame {
  /** Undefined for the first one of a session, which has none. */
  readonly type: string | undefined;
  readonly bytes: Buffer;
  readonly body: Buffer;
}

/** Cuts a stream of bytes into frames. */
function createFraming({ startsUntyped }: { startsUntyped: boolean }): (bytes: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let typed = !startsUntyped;
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const header = typed ? 1 : 0;
      if (rest.length < header + 4) return frames;
      const end = header + rest.readInt32BE(header);
      if (rest.length < end) return frames;
      const type = typed ? String.fromCharCode(rest.readUInt8(0)) : undefined;
      frames.push({ type, bytes: rest.subarray(0, end), body: rest.subarray(header + 4, end) });
      rest = rest.subarray(end);
      typed = true;
    }
  };
}

/** After each of these the client waits: password, simple query, Sync, and the end of the session. */
const ENDS_A_REQUEST = new Set([undefined, "p", "Q", "S", "X"]);

/** Reads what a client sends, request by request. */
export function createRequestReader(): (bytes: Buffer) => ClientRequest[] {
  const framesOf = createFraming({ startsUntyped: true });
  let gathered: Buffer[] = [];
  let sql: string | undefined;
  let values: string[] = [];
  return (bytes) => {
    const requests: ClientRequest[] = [];
    for (const frame of framesOf(bytes)) {
      gathered.push(frame.bytes);
      if (frame.type === "Q") sql = textsIn(frame.body)[0];
      // Parse: name of the statement, its text.
      if (frame.type === "P") sql = textsIn(frame.body)[1];
      if (frame.type === "B") values = boundValues(frame.body);
      if (!ENDS_A_REQUEST.has(frame.type)) continue;
      const statement = sql === undefined ? undefined : { sql: sql.replace(/\s+/g, " "), values };
      requests.push({ bytes: Buffer.concat(gathered), statement });
      gathered = [];
      sql = undefined;
      values = [];
    }
    return requests;
  };
}

/** Reads what a server sends, and says when it is ready for the next request. */
export function createReadyReader(): (bytes: Buffer) => boolean {
  const framesOf = createFraming({ startsUntyped: false });
  return (bytes) => framesOf(bytes).some(({ type }) => type === "Z");
}

function textsIn(body: Buffer): string[] {
  return body.toString("utf8").split("\0");
}

/** Bind: portal, statement, formats, then each value with its length; -1 is null. */
function boundValues(body: Buffer): string[] {
  let at = body.indexOf(0) + 1;
  at = body.indexOf(0, at) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  const values: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) continue;
    values.push(body.toString("utf8", at, at + length));
    at += length;
  }
  return values;
}
