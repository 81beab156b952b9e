import { describe, expect, it } from "vitest";
import {
  describeServerFault,
  faultOfCode,
  fetchFault,
  httpFault,
  mayPass,
  networkFault,
  postgresFault,
  redisFault,
  smtpFault,
  type ServerFaultKind,
} from "../../../lib/support/server-fault/index.ts";

const withCode = (code: string, more: object = {}): Error =>
  Object.assign(new Error("it failed"), { code, ...more });

describe("a code of the network or of TLS", () => {
  it.each<[string, ServerFaultKind]>([
    ["ECONNREFUSED", "no-answer"],
    ["ETIMEDOUT", "no-answer"],
    ["EAI_AGAIN", "no-answer"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "certificate-untrusted"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "certificate-untrusted"],
    ["CERT_REVOKED", "certificate-untrusted"],
    ["CERT_HAS_EXPIRED", "certificate-expired"],
    ["CERT_NOT_YET_VALID", "certificate-expired"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate-of-other-host"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "no-tls"],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "tls-failed"],
    ["ERR_OSSL_PEM_NO_START_LINE", "certificate-file"],
  ])("%s is %s, for every server alike", (code, kind) => {
    const wrapped = new Error("fetch failed", { cause: withCode(code) });
    for (const fault of [
      faultOfCode(code),
      networkFault(wrapped),
      postgresFault(wrapped),
      redisFault(new Error("Reached the max retries per request limit"), wrapped),
      smtpFault(withCode("ESOCKET", { originalCode: code, command: "CONN" })),
      fetchFault(wrapped),
    ]) {
      expect(fault).toEqual({ kind, code });
    }
  });

  it("is found in the first of several addresses", () => {
    const error = new AggregateError([withCode("ECONNREFUSED"), withCode("ENETUNREACH")]);
    expect(networkFault(error)).toEqual({ kind: "no-answer", code: "ECONNREFUSED" });
  });

  it("of a file is one of a certificate's only where a file was opened", () => {
    const opened = withCode("ENOENT", { syscall: "open" });
    expect(networkFault(opened)).toEqual({ kind: "certificate-file", code: "ENOENT" });
    expect(networkFault(withCode("ENOENT", { syscall: "connect" }))).toBeUndefined();
  });
});

describe("what a server says", () => {
  it.each<[string, ServerFaultKind]>([
    ["28P01", "login-refused"],
    ["3D000", "missing"],
    ["42501", "not-allowed"],
    ["25006", "wrong-role"],
    ["53100", "full"],
    ["53200", "full"],
    ["53300", "full"],
    ["57P01", "busy"],
    ["57P03", "busy"],
    ["57P04", "missing"],
    ["08P01", "unclear"],
  ])("PostgreSQL with %s is %s", (code, kind) => {
    expect(postgresFault(withCode(code))).toEqual({ kind, code });
  });

  it.each<[string, ServerFaultKind, string]>([
    ["READONLY You can't write against a read only replica.", "wrong-role", "READONLY"],
    ["ERR Error running script: @user_script:2: -READONLY You can't", "wrong-role", "READONLY"],
    ["MOVED 3999 127.0.0.1:6381", "wrong-role", "MOVED"],
    ["ERR max number of clients reached", "full", "ERR"],
    ["DENIED Redis is running in protected mode", "not-allowed", "DENIED"],
    ["LOADING Redis is loading the dataset in memory", "busy", "LOADING"],
    ["MASTERDOWN Link with MASTER is down", "busy", "MASTERDOWN"],
    ['Protocol error, got "\u0015" as reply type byte', "tls-only", ""],
    ["Connection is closed.", "no-answer", ""],
  ])("Redis with %s is %s", (message, kind, code) => {
    expect(redisFault(new Error(message))).toEqual({ kind, code });
  });

  it.each<[number, string, string, ServerFaultKind]>([
    [421, "DATA", "421 4.3.0 later", "busy"],
    [452, "MAIL FROM", "452 4.3.1 storage", "full"],
    [454, "AUTH PLAIN", "454 4.7.0 later", "busy"],
    [535, "AUTH PLAIN", "535 5.7.8 wrong", "login-refused"],
    [530, "MAIL FROM", "530 5.7.0 Must issue a STARTTLS command first", "tls-only"],
    [530, "MAIL FROM", "530 5.7.0 Authentication required", "login-refused"],
    [554, "CONN", "554 5.7.1 not from here", "not-allowed"],
    [502, "STARTTLS", "502 not implemented", "no-tls"],
  ])(
    "a mail server with %d at %s is judged by its class: %s",
    (number, command, response, kind) => {
      const error = Object.assign(new Error("no"), { responseCode: number, command, response });
      expect(smtpFault(error)).toEqual({ kind, code: String(number) });
    },
  );

  it.each<[number, ServerFaultKind]>([
    [401, "login-refused"],
    [404, "missing"],
    [429, "busy"],
    [500, "unclear"],
  ])("a web server with %d is %s", (status, kind) => {
    expect(httpFault(status)).toEqual({ kind, code: String(status) });
  });
});

it("an answer is never said to be none, and only what may pass is asked again", () => {
  const kinds: ServerFaultKind[] = [
    "certificate-untrusted",
    "tls-only",
    "login-refused",
    "wrong-role",
    "full",
    "busy",
  ];
  for (const kind of kinds) {
    const { message, remedy } = describeServerFault(
      { kind, code: "CODE" },
      { name: "the database at db.example:5432/a", type: "postgres" },
    );
    expect(message).toMatch(/^the database at db\.example:5432\/a answers, .* \(CODE\)$/);
    expect(remedy).toMatch(/\.$/);
  }
  expect(kinds.filter((kind) => mayPass({ kind, code: "" }))).toEqual(["full", "busy"]);
});
