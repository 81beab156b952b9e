import { describeServerFault } from "./describe.ts";
import { faultOfCode } from "./network.ts";

/**
 * Why no request reached the provider, in words with the code: its certificate, say, is no network that is away.
 * Undefined where the detail of its answer is no code of the network or of TLS.
 */
export function describeProviderFault(
  detail: string | undefined,
): { message: string; remedy: string } | undefined {
  const fault = faultOfCode(detail ?? "");
  if (fault === undefined) return undefined;
  const { message, remedy } = describeServerFault(fault, {
    name: "The provider",
    type: "provider",
  });
  return { message: `${message}.`, remedy: `${remedy} Then run again.` };
}
