/** The mail server, in a process of its own: what it does with a mail is not the job's time. */
import { startMailSandbox } from "../../../sandbox/mail/index.ts";

const sandbox = await startMailSandbox();
process.send?.(sandbox.env);
process.on("disconnect", () => void sandbox.close());
