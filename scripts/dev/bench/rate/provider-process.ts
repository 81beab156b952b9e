/**
 * A provider that only counts: it answers each request after a time between 50 and 800 ms, and reports when each
 * one arrived. In a separate process, so that the caller's work does not delay its clock.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createChance } from "../chance.ts";
import { ANSWERS } from "./answers.ts";

const { leastMs, mostMs } = ANSWERS;

/** On the machine's monotonic clock, which every process reads alike. */
const arrivalsMs: number[] = [];
const chance = createChance();

const server = createServer((request, response) => {
  arrivalsMs.push(Number(process.hrtime.bigint()) / 1e6);
  request.resume();
  setTimeout(
    () => response.writeHead(400, { "Content-Type": "application/json" }).end(REFUSAL),
    leastMs + chance() * (mostMs - leastMs),
  );
});
// Nothing of it is repeated.
const REFUSAL = JSON.stringify({
  error: { code: "BAD_REQUEST_ERROR", description: "a benchmark" },
});

server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("message", () => process.send?.({ arrivalsMs: arrivalsMs.splice(0) }));
process.on("disconnect", () => process.exit());
