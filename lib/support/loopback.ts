import { isIPv4 } from "node:net";

/** Whether a host of an address is this machine: `127.0.0.0/8`, `::1` in brackets or without, `localhost`. */
export function isLoopbackHost(host: string): boolean {
  const bare = bareHost(host);
  return bare === "localhost" || bare === "::1" || (isIPv4(bare) && bare.startsWith("127."));
}

/** A host as two addresses can be compared: in lower case, an IPv6 address without its brackets. */
export function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}
