import { afterEach, describe, expect, it, vi } from "vitest";
import {
  parseRazorpayPaymentsEnv,
  parseRazorpayXEnv,
  razorpayPaymentsVariables,
  razorpayXVariables,
} from "../../../lib/razorpay/index.ts";
import { createTransport } from "../../../lib/razorpay/transport.ts";

afterEach(() => vi.unstubAllEnvs());

const complete = {
  RAZORPAYX_KEY_ID: "rzp_test_madeupkey",
  RAZORPAYX_KEY_SECRET: "madeup-secret-9f1c",
  RAZORPAYX_ACCOUNT_NUMBER: "7000000000000011",
};

function problemsOf(env: Record<string, string | undefined>): string[] {
  const parsed = parseRazorpayXEnv(env);
  return parsed.ok ? [] : parsed.problems.map((each) => each.variable);
}

describe("the environment of the RazorpayX client", () => {
  it("needs a key, its secret and the account, and has defaults for the rest", () => {
    expect(parseRazorpayXEnv(complete)).toEqual({
      ok: true,
      settings: {
        keyId: "rzp_test_madeupkey",
        keySecret: "madeup-secret-9f1c",
        accountNumber: "7000000000000011",
        baseUrl: "https://api.razorpay.com/v1",
        timeoutMs: 20_000,
        requestsPerSecond: 8,
        accountKind: "lite",
      },
    });
  });

  it("accepts the older names of key and secret, also where the newer are empty", () => {
    const parsed = parseRazorpayXEnv({
      ...complete,
      RAZORPAYX_KEY_ID: "",
      RAZORPAY_KEY_ID: "rzp_test_older",
      RAZORPAYX_KEY_SECRET: " \n",
      RAZORPAY_SECRET: "older-secret",
    });
    expect(parsed).toMatchObject({
      ok: true,
      settings: { keyId: "rzp_test_older", keySecret: "older-secret" },
    });
  });

  it("prefers the newer names where both are set", () => {
    const parsed = parseRazorpayXEnv({ ...complete, RAZORPAY_SECRET: "older-secret" });
    expect(parsed).toMatchObject({ settings: { keySecret: "madeup-secret-9f1c" } });
  });

  it("says everything that is wrong at once", () => {
    expect(
      problemsOf({
        RAZORPAYX_KEY_ID: "   ",
        RAZORPAYX_ACCOUNT_NUMBER: "",
        RAZORPAY_BASE_URL: "http://api.razorpay.com/v1",
        RAZORPAY_TIMEOUT_MS: "20s",
        RAZORPAY_REQUESTS_PER_SECOND: "0",
      }),
    ).toEqual([
      "RAZORPAYX_KEY_ID",
      "RAZORPAYX_KEY_SECRET",
      "RAZORPAYX_ACCOUNT_NUMBER",
      "RAZORPAY_BASE_URL",
      "RAZORPAY_TIMEOUT_MS",
      "RAZORPAY_REQUESTS_PER_SECOND",
    ]);
  });

  it("names variables and never quotes their values", () => {
    const wrong = {
      RAZORPAYX_KEY_ID: "key with spaces",
      RAZORPAYX_KEY_SECRET: "secret with spaces",
      RAZORPAYX_ACCOUNT_NUMBER: "7000-0000",
      RAZORPAY_BASE_URL: "ftp://user:pass@made-up.example",
      RAZORPAY_TIMEOUT_MS: "forever",
    };
    const text = JSON.stringify(parseRazorpayXEnv(wrong));
    for (const value of Object.values(wrong)) expect(text).not.toContain(value);
    expect(text).not.toContain("user:pass");
  });

  it.each([
    ["http://127.0.0.1:4010/v1/", "http://127.0.0.1:4010/v1"],
    ["http://localhost:4010/v1", "http://localhost:4010/v1"],
    ["http://[::1]:4010/v1", "http://[::1]:4010/v1"],
    ["https://127.0.0.1:4010/v1", "https://127.0.0.1:4010/v1"],
    ["https://api.razorpay.com/v1", "https://api.razorpay.com/v1"],
    ["https://api.razorpay.com:443/v2/", "https://api.razorpay.com/v2"],
  ])("takes the base URL %s", (RAZORPAY_BASE_URL, baseUrl) => {
    expect(parseRazorpayXEnv({ ...complete, RAZORPAY_BASE_URL })).toMatchObject({
      ok: true,
      settings: { baseUrl },
    });
  });

  it.each([
    "api.razorpay.com/v1",
    "http://127.0.0.1.made-up.example/v1",
    "http://10.0.0.5/v1",
    "https://user:pass@api.razorpay.com/v1",
    "https://api.razorpay.com/v1?x=1",
    "https://gateway.example/v1",
    "https://api.razorpay.com.made-up.example/v1",
    "https://made-up.example/api.razorpay.com/v1",
    "https://xapi.razorpay.com/v1",
    "https://api.razorpay.com:8443/v1",
    "http://api.razorpay.com/v1",
  ])("refuses the base URL %s", (RAZORPAY_BASE_URL) => {
    expect(problemsOf({ ...complete, RAZORPAY_BASE_URL })).toEqual(["RAZORPAY_BASE_URL"]);
  });

  it("sends a live key nowhere but to the provider, whichever of the names it has", () => {
    const here = { RAZORPAY_BASE_URL: "http://127.0.0.1:4010/v1" };
    for (const RAZORPAYX_KEY_ID of ["rzp_live_madeupkey", "xrzp_test_madeupkey", "madeup"])
      expect(problemsOf({ ...complete, ...here, RAZORPAYX_KEY_ID })).toEqual(["RAZORPAY_BASE_URL"]);
    const older = { RAZORPAYX_KEY_ID: "", RAZORPAY_KEY_ID: "rzp_live_madeupkey" };
    expect(problemsOf({ ...complete, ...here, ...older })).toEqual(["RAZORPAY_BASE_URL"]);
    expect(problemsOf({ ...complete, ...older })).toEqual([]);
    expect(
      parseRazorpayPaymentsEnv({
        ...here,
        RAZORPAY_KEY_ID: "rzp_live_madeupkey",
        RAZORPAY_KEY_SECRET: "madeup-secret-9f1c",
      }),
    ).toMatchObject({ ok: false, problems: [{ variable: "RAZORPAY_BASE_URL" }] });
  });

  it.each([
    ["a proxy without its protocol", "proxy.corp:8080"],
    ["an address without a protocol", "127.0.0.1:9"],
    ["a host with a space", "http://a b:1"],
    ["percent signs that stand for nothing", "http://us%er:p%w@host:1"],
    ["another protocol", "ftp://host:21"],
    ["a path", "http://host:1/path"],
    ["nothing but a space", " "],
  ])("refuses as a proxy %s, without quoting it", (_, text) => {
    for (const variable of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]) {
      const problem = expect.stringMatching(
        /^must be http:\/\/host:port or https:\/\/host:port, /,
      ) as string;
      const parsed = parseRazorpayXEnv({ ...complete, [variable]: text });
      expect(parsed).toEqual({ ok: false, problems: [{ variable, problem }] });
      if (text.trim() !== "") expect(JSON.stringify(parsed)).not.toContain(text);
      expect(
        parseRazorpayXEnv({
          ...complete,
          RAZORPAY_BASE_URL: "http://127.0.0.1:4010/v1",
          [variable]: text,
        }),
      ).toMatchObject({ ok: true });
    }
  });

  it.each(["", "http://proxy.example:8080", "https://us%25er:p%40w@proxy.example:8443/"])(
    "takes the proxy '%s', and so does the client",
    (HTTPS_PROXY) => {
      const parsed = parseRazorpayXEnv({ ...complete, HTTPS_PROXY });
      if (!parsed.ok) throw new Error("the proxy was refused");
      vi.stubEnv("https_proxy", undefined);
      vi.stubEnv("HTTPS_PROXY", HTTPS_PROXY);
      expect(() => createTransport(parsed.settings)).not.toThrow();
    },
  );

  it("asks of the proxies only those that the client takes", () => {
    const shadowed = { https_proxy: "http://proxy.example:8080", HTTPS_PROXY: "proxy.example" };
    expect(problemsOf({ ...complete, ...shadowed })).toEqual([]);
  });

  it("is listed with every variable that it reads", () => {
    expect(namesIn(razorpayXVariables)).toEqual(namesReadBy(parseRazorpayXEnv));
  });
});

describe("the environment of the payments client", () => {
  const keys = { RAZORPAY_KEY_ID: "rzp_test_madeupkey", RAZORPAY_KEY_SECRET: "madeup-secret-9f1c" };

  it("needs a key and its secret, and has the defaults of RazorpayX for the rest", () => {
    expect(parseRazorpayPaymentsEnv(keys)).toEqual({
      ok: true,
      settings: {
        keyId: "rzp_test_madeupkey",
        keySecret: "madeup-secret-9f1c",
        baseUrl: "https://api.razorpay.com/v1",
        timeoutMs: 20_000,
        requestsPerSecond: 8,
      },
    });
  });

  it("accepts the older name of the secret, also where the newer is empty", () => {
    const older = { ...keys, RAZORPAY_KEY_SECRET: " ", RAZORPAY_SECRET: "older-secret" };
    expect(parseRazorpayPaymentsEnv(older)).toMatchObject({
      settings: { keySecret: "older-secret" },
    });
    expect(parseRazorpayPaymentsEnv({ ...older, ...keys })).toMatchObject({
      settings: { keySecret: "madeup-secret-9f1c" },
    });
  });

  it("is not that of RazorpayX", () => {
    expect(parseRazorpayPaymentsEnv(complete)).toEqual({
      ok: false,
      problems: [
        { variable: "RAZORPAY_KEY_ID", problem: "is missing or empty" },
        {
          variable: "RAZORPAY_KEY_SECRET",
          problem: "is missing or empty; RAZORPAY_SECRET is read as well",
        },
      ],
    });
  });

  it("is listed with every variable that it reads", () => {
    expect(namesIn(razorpayPaymentsVariables)).toEqual(namesReadBy(parseRazorpayPaymentsEnv));
  });
});

function namesIn(variables: typeof razorpayXVariables): string[] {
  return variables.flatMap((each) => [each.name, each.fallback ?? []].flat()).sort();
}

function namesReadBy(parse: (env: Record<string, string | undefined>) => unknown): string[] {
  const read = new Set<string>();
  const spy = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_, name) => {
        if (typeof name === "string" && name.startsWith("RAZORPAY")) read.add(name);
        return undefined;
      },
    },
  );
  parse(spy);
  return [...read].sort();
}
