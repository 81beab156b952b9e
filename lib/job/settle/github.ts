import type { OutputValue } from "../define-job.ts";
import { isOnGitHub, type Env } from "../../support/environment.ts";
import { secretForms, SHORTEST_ANYWHERE } from "../../support/secret-forms.ts";

/**
 * The report to a step of GitHub Actions. `@actions/core` is loaded only there: it writes outputs in the heredoc
 * form with a random delimiter, and escapes commands.
 */
export interface GithubReport {
  outputs: Record<string, OutputValue>;
  summaryMarkdown: string;
  /** One annotation for each class of problem; the runner shows only the first ten. */
  annotations: readonly { level: "error" | "warning"; title: string; message: string }[];
}

/** The runner cuts longer annotations. */
const LONGEST_ANNOTATION = 4000;

/** Masks secrets in the runner's log, in each of their forms, a line at a time. Before anything is printed. */
export async function maskSecrets(env: Env, secrets: readonly string[]): Promise<void> {
  if (!isOnGitHub(env) || secrets.length === 0) return;
  const { setSecret } = await import("./actions.ts");
  const lines = secretForms(secrets).flatMap((form) => form.split(/[\r\n]+/));
  for (const line of new Set(lines.map((each) => each.trim()))) {
    // Masking a short string would turn ordinary words of the log into stars.
    if (line.length >= SHORTEST_ANYWHERE && !line.includes("\0")) setSecret(line);
  }
}

/**
 * Writes outputs, then the summary, then annotations. A failure to write one does not stop the others.
 *
 * @returns the failures
 */
export async function reportToGithub(env: Env, report: GithubReport): Promise<Error[]> {
  if (!env["GITHUB_OUTPUT"] && !env["GITHUB_STEP_SUMMARY"] && !isOnGitHub(env)) return [];
  const failures: Error[] = [];
  const attempt = async (what: string, write: () => unknown): Promise<void> => {
    try {
      await write();
    } catch (error) {
      failures.push(new Error(`${what} could not be written`, { cause: error }));
    }
  };

  const core = await import("./actions.ts");
  if (env["GITHUB_OUTPUT"]) {
    await attempt("GITHUB_OUTPUT", () => {
      for (const [name, value] of Object.entries(report.outputs))
        core.setOutput(name, String(value));
    });
  }
  if (env["GITHUB_STEP_SUMMARY"]) {
    await attempt("GITHUB_STEP_SUMMARY", () =>
      core.summary.addRaw(report.summaryMarkdown, true).write(),
    );
  }
  if (isOnGitHub(env)) {
    for (const { level, title, message } of report.annotations) {
      core[level](message.slice(0, LONGEST_ANNOTATION), { title });
    }
  }
  return failures;
}
