import type { Db } from "../../db/client.ts";
import type { PayoutProvider } from "../../provider/index.ts";
import type { RunContext } from "../../support/run-context.ts";

/** All that a run over payouts may touch. */
export interface RunPorts<Settings> extends Omit<RunContext<Settings>, "random"> {
  readonly db: Db;
  readonly gateway: PayoutProvider;
}
