/** The mail server in a separate process: its work on a mail is not the job's time. */
import { startMailSandbox } from "../../../sandbox/mail/index.ts";

const sandbox = await startMailSandbox();
process.send?.(sandbox.env);
process.on("disconnect", () => void sandbox.close());
