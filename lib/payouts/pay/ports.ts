import type { RunPorts } from "../state/ports.ts";
import type { PayoutSettings } from "./settings.ts";

export type PayoutPorts = RunPorts<PayoutSettings>;
