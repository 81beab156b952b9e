export { deliveryOutputs, deliveryTables, type DeliveryReport } from "./report.ts";
export {
  deliveryEnvironment,
  mailEnvironment,
  mailEnvironmentOptional,
  type MailSettings,
  type WithMail,
} from "./settings.ts";
export {
  deliverAfter,
  deliveredAfterOutputs,
  type DeliverAfterPorts,
  type DeliveredAfter,
} from "./deliver-after.ts";
export { tellOutputs, tellTables, type TellReport } from "./tell-payees/report.ts";
export { tellPayeesEnvironment, type TellPayeesSettings } from "./tell-payees/settings.ts";
