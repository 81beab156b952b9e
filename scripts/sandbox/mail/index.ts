export type { Behaviour, Stage } from "./behaviour.ts";
export {
  startMailSandbox,
  type MailSandbox,
  type MailSandboxOptions,
  type ReceivedMail,
} from "./sandbox.ts";
