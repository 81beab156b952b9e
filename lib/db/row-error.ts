import { errorCode } from "../support/errors.ts";
import { sqlStateOf } from "./connection.ts";

/**
 * A refusal by PostgreSQL in words that hold no value of a row: its code, and the table, constraint and function
 * that it names. The message itself may hold any value, and is for the log alone.
 */
export function describeRowError(thrown: unknown): string {
  const state = sqlStateOf(thrown);
  if (state === undefined) return `an unexpected error (${errorCode(thrown) ?? nameOf(thrown)})`;
  const { table, constraint, where } = fieldsOf(thrown);
  const named = [
    ...(table === undefined ? [] : [`table ${table}`]),
    ...(constraint === undefined ? [] : [`constraint ${constraint}`]),
    ...(where === undefined ? [] : [`function ${where}`]),
  ];
  return `the database refused it (SQLSTATE ${[state, ...named].join(", ")})`;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

/** Names of objects only. Of the context, which may quote a statement, the innermost function. */
function fieldsOf(thrown: unknown): Partial<Record<"table" | "constraint" | "where", string>> {
  if (typeof thrown !== "object" || thrown === null) return {};
  const text = (field: string): string | undefined => {
    const value = (thrown as Record<string, unknown>)[field];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const table = text("table");
  const constraint = text("constraint");
  const where = /^PL\/pgSQL function ([\w."]+)\(/m.exec(text("where") ?? "")?.[1];
  return {
    ...(table === undefined ? {} : { table }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(where === undefined ? {} : { where }),
  };
}
