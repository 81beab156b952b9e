/**
 * An error for an operator. `code` is stable, so scripts may match it. `message` describes the event and names
 * the row or server. `remedy` names the next step.
 */
export class AfterhoursError extends Error {
  override readonly name: string = "AfterhoursError";
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(code: string, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** Any thrown value as an Error: some libraries throw plain objects. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (typeof thrown === "string") return new Error(thrown);
  return new Error("a value that is not an Error was thrown", { cause: thrown });
}

/** The `code` of a Node, pg or Afterhours error, if it has one. */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
