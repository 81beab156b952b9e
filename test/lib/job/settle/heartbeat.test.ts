import { once } from "node:events";
import type { RequestListener } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { sendHeartbeat } from "../../../../lib/job/settle/heartbeat.ts";
import { freePort } from "../../../../scripts/dev/services/free-port.ts";
import { openMonitor, type Monitor } from "./monitor.ts";

const runId = "00000000-0000-4000-8000-000000000001";

describe("a ping of the monitor", () => {
  let monitor: Monitor | undefined;
  afterEach(async () => {
    await monitor?.close();
    monitor = undefined;
  });
  const open = async (answer?: RequestListener): Promise<string> => {
    monitor = await openMonitor(answer);
    return monitor.url;
  };

  it.each([
    ["start", `POST /ping/token/start?rid=${runId}`],
    ["success", `POST /ping/token?rid=${runId}`],
    ["fail", `POST /ping/token/fail?rid=${runId}`],
  ] as const)("of %s goes to its own path, with the run", async (beat, expected) => {
    const url = await open();
    expect(await sendHeartbeat(url, { beat, runId })).toBeUndefined();
    expect(monitor?.pings).toEqual([expected]);
  });

  it("keeps the query of the address, and bears a slash at its end", async () => {
    const url = await open();
    await sendHeartbeat(`${url}/?create=1&rid=old`, { beat: "fail", runId });
    await sendHeartbeat(`${url}?create=1`, { beat: "success", runId });
    expect(monitor?.pings).toEqual([
      `POST /ping/token/fail?create=1&rid=${runId}`,
      `POST /ping/token?create=1&rid=${runId}`,
    ]);
  });

  it.each([404, 500, 503])("that is answered with %d is an error, not thrown", async (status) => {
    const url = await open((_request, response) => void response.writeHead(status).end());
    const failure = await sendHeartbeat(url, { beat: "success", runId });
    expect(failure?.message).toMatch(new RegExp(`^the monitor answers, and .* \\(${status}\\)$`));
  });

  it("that nobody takes is an error, not thrown", async () => {
    const url = `http://127.0.0.1:${await freePort()}/ping`;
    const failure = await sendHeartbeat(url, { beat: "success", runId });
    expect(failure?.message).toBe("the monitor cannot be reached (ECONNREFUSED)");
    expect(failure?.cause).toBeInstanceOf(Error);
  });

  it("that breaks half-way is an error, not thrown", async () => {
    const url = await open((request) => void request.socket.destroy());
    expect((await sendHeartbeat(url, { beat: "start", runId }))?.message).toBe(
      "the monitor cannot be reached (UND_ERR_SOCKET)",
    );
  });

  it("that is never answered ends by itself with an error", async () => {
    const url = await open(() => undefined);
    const failure = await sendHeartbeat(url, { beat: "start", runId });
    expect(failure?.cause).toMatchObject({ name: "TimeoutError" });
  });

  it.each([301, 302, 307, 308])("that is answered with %d goes nowhere else", async (status) => {
    const elsewhere = await openMonitor();
    const url = await open((_request, response) => {
      response.writeHead(status, { location: elsewhere.url }).end();
    });
    const failure = await sendHeartbeat(url, { beat: "success", runId });
    await elsewhere.close();
    expect(elsewhere.pings).toEqual([]);
    expect(failure).toMatchObject({
      message: `the monitor answers, and names another address, which is not followed (${status})`,
      remedy: "Write the final address in HEARTBEAT_URL.",
    });
  });

  it("reads nothing of an answer without end", async () => {
    let closed: Promise<unknown> | undefined;
    const url = await open((_request, response) => {
      closed = once(response, "close");
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) continue;
        response.once("drain", more);
      };
      more();
    });
    expect(await sendHeartbeat(url, { beat: "start", runId })).toBeUndefined();
    // We hang up: the server can not go on.
    await closed;
  });

  it("does not wait for the rest of an answer", async () => {
    const url = await open((_request, response) => void response.writeHead(200).write("and so on"));
    expect(await sendHeartbeat(url, { beat: "start", runId })).toBeUndefined();
  });
});
