import type { EnvironmentSpec } from "../../support/environment.ts";
import {
  checkoutVariables,
  parseCheckoutEnv,
  type CheckoutSettings,
} from "../provider/settings.ts";

export const cancelEnvironment: EnvironmentSpec<CheckoutSettings> = {
  variables: checkoutVariables,
  parse: (env) => parseCheckoutEnv(env, {}),
};
