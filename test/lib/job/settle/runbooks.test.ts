import { expect, it } from "vitest";
import { runbookFor } from "../../../../lib/job/settle/runbooks.ts";

const job = {
  name: "payments/process-refunds",
  runbooks: {
    "refunds-failed": "a-refund-failed",
    "db-full": "a-section-that-the-harness-overrules",
  },
};
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const github = {
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "acme/after_hours.jobs",
  GITHUB_SHA: COMMIT,
};

it("leads to the section of the reason, of the commit that ran", () => {
  expect(runbookFor(job, "refunds-failed", github)).toEqual({
    title: "runbook: a refund failed",
    path: "docs/runbooks.md#a-refund-failed",
    url: `https://github.com/acme/after_hours.jobs/blob/${COMMIT}/docs/runbooks.md#a-refund-failed`,
  });
});

it("leads to what all red runs have in common where the reason says nothing of the job", () => {
  expect(runbookFor(job, "unexpected-error", {}).path).toBe("docs/runbooks.md#a-run-is-red");
});

it("leads to the harness's own section for a reason of the harness, even without any of the job", () => {
  const { name } = job;
  expect(runbookFor({ name }, "db-full", {}).path).toBe("docs/runbooks.md#the-database-is-away");
  expect(runbookFor(job, "db-full", {}).path).toBe("docs/runbooks.md#the-database-is-away");
});

it.each([
  ["", "docs/jobs/process-refunds.md"],
  ["a-reason-of-its-own", "docs/jobs/process-refunds.md#when-it-is-red"],
])("leads to the page of the job with the reason %j", (reason, path) => {
  expect(runbookFor(job, reason, {}).path).toBe(path);
});

it.each([
  ["no variable", {}],
  ["no commit", { ...github, GITHUB_SHA: "" }],
  ["a commit that is none", { ...github, GITHUB_SHA: "main)\n[x](" }],
  ["a repository that is none", { ...github, GITHUB_REPOSITORY: "acme/x) [y](" }],
  ["a server that is none", { ...github, GITHUB_SERVER_URL: "javascript:alert(1)" }],
])("gives no address with %s", (_, env) => {
  expect(runbookFor(job, "refunds-failed", env).url).toBeUndefined();
});
