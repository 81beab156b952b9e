import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../../lib/support/clock.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import type { CallRecord } from "./calls.ts";
import { createCallLog } from "./calls.ts";
import type { SandboxControl, SandboxState } from "./control.ts";
import { createControl } from "./control.ts";
import { createFaultPlan } from "./fault-plan.ts";
import { createIds } from "./ids.ts";
import { createListener } from "./server.ts";
import type { WorldSettings } from "./world.ts";
import { createWorld } from "./world.ts";

export interface SandboxOptions {
  /** Default 0: a free port. */
  port?: number;
  /** Opening balance in paise. Default ₹10 crore. */
  balancePaise?: number | bigint;
  /** Default `rzp_test_sandbox`. */
  keyId?: string;
  /** Default `sandbox_secret`. */
  keySecret?: string;
  /** Our own account at the provider. Default `7878780080316316`. */
  accountNumber?: string;
  /** `current` collects fees apart (`collectFees`) and tells its kind in the balances. Default `lite`. */
  accountKind?: "lite" | "current";
  /** How long a payout stays in `processing`, a refund in `pending`. Default 0: until the API is next asked. */
  settleAfterMs?: number;
  /** Whether a refused request uses its idempotency key up (undocumented). Default false. */
  refusalUsesKey?: boolean;
  /** HTTP number of "same key, another body" (undocumented). Default 400. */
  conflictStatus?: 400 | 409;
  /** The same for a refund's key, where the documentation names both. Default 409. */
  refundConflictStatus?: 400 | 409;
  /** Answer absent `utr`, `step` and `reason` as the text "null". Default false. */
  nullAsText?: boolean;
  /** Called after each call of the API. Default: nothing, and nothing is logged. */
  onCall?: (call: CallRecord) => void;
  /** Default: the system's clock. */
  clock?: Clock;
}

export interface Sandbox extends SandboxControl {
  /** `http://127.0.0.1:PORT`; the API is there and under `/v1`, the control under `/__sandbox`. */
  readonly url: string;
  readonly port: number;
  /** The variables that point a job at this sandbox. */
  readonly env: Readonly<Record<SandboxVariable, string>>;
  /** Ends every connection at once. May be called more than once. */
  close(): Promise<void>;
}

export type SandboxVariable =
  | "RAZORPAY_BASE_URL"
  | "RAZORPAYX_KEY_ID"
  | "RAZORPAYX_KEY_SECRET"
  | "RAZORPAYX_ACCOUNT_NUMBER"
  | "RAZORPAY_KEY_ID"
  | "RAZORPAY_KEY_SECRET";

export const SANDBOX_DEFAULTS = {
  balancePaise: 10_00_00_000_00,
  keyId: "rzp_test_sandbox",
  keySecret: "sandbox_secret",
  accountNumber: "7878780080316316",
  settleAfterMs: 0,
} as const;

const HOST = "127.0.0.1";
const CALLS_KEPT = 100_000;

/**
 * Starts a RazorpayX sandbox on the loopback address. Rejects with Node's error (`EADDRINUSE`, …) when
 * it cannot listen, and with a RangeError when the balance is not a whole number of paise.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { keyId = SANDBOX_DEFAULTS.keyId, keySecret = SANDBOX_DEFAULTS.keySecret } = options;
  const settings = worldSettings(options);
  const state = createState(settings);
  const control = createControl(state);
  const closing = new AbortController();
  // Each answer that waits listens for the close; thousands may wait at once.
  setMaxListeners(0, closing.signal);
  const server = createServer(
    createListener({
      state,
      control,
      keyId,
      keySecret,
      nullAsText: options.nullAsText ?? false,
      onCall: options.onCall,
      closing: closing.signal,
    }),
  );
  // Longer than any client keeps an idle connection, so that a request never meets one being closed.
  server.keepAliveTimeout = 120_000;
  const port = await listen(server, options.port ?? 0);
  const url = `http://${HOST}:${port}`;
  return {
    ...control,
    url,
    port,
    env: {
      RAZORPAY_BASE_URL: `${url}/v1`,
      RAZORPAYX_KEY_ID: keyId,
      RAZORPAYX_KEY_SECRET: keySecret,
      RAZORPAYX_ACCOUNT_NUMBER: settings.accountNumber,
      RAZORPAY_KEY_ID: keyId,
      RAZORPAY_KEY_SECRET: keySecret,
    },
    close: () => close(server, closing),
  };
}

function worldSettings(options: SandboxOptions): WorldSettings {
  const openingPaise = Number(options.balancePaise ?? SANDBOX_DEFAULTS.balancePaise);
  if (!Number.isSafeInteger(openingPaise) || openingPaise < 0)
    throw new RangeError("balancePaise must be a whole number of paise, zero or more");
  return {
    openingPaise,
    accountNumber: options.accountNumber ?? SANDBOX_DEFAULTS.accountNumber,
    accountKind: options.accountKind ?? "lite",
    settleAfterMs: options.settleAfterMs ?? SANDBOX_DEFAULTS.settleAfterMs,
    refusalUsesKey: options.refusalUsesKey ?? false,
    conflictStatus: options.conflictStatus ?? 400,
    refundConflictStatus: options.refundConflictStatus ?? 409,
    clock: options.clock ?? systemClock,
    ids: createIds(),
  };
}

function createState(settings: WorldSettings): SandboxState {
  const renew = () => ({
    world: createWorld(settings),
    calls: createCallLog({ clock: settings.clock, limit: CALLS_KEPT }),
  });
  return { ...renew(), renew, faults: createFaultPlan() };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
