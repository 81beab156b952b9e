import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  harnessVariables,
  parseHarnessEnvironment,
  runOrigin,
} from "../../../lib/job/environment.ts";
import { secretForms } from "../../../lib/support/secret-forms.ts";

const LIBPQ = "uselibpqcompat=true";
const DATABASE_URL = "postgres://app:s3cret-word@db.example:5432/afterhours";

const problemsOf = (env: Record<string, string>) => {
  const parsed = parseHarnessEnvironment(env);
  return parsed.ok ? [] : parsed.problems;
};
const settingsOf = (env: Record<string, string>) => {
  const parsed = parseHarnessEnvironment({ DATABASE_URL, ...env });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
};

describe("the environment of the harness", () => {
  it("needs the database alone; all else has a default", () => {
    expect(settingsOf({}).settings).toEqual({
      databaseUrl: DATABASE_URL,
      redisUrl: undefined,
      lockStore: "postgres",
      environmentName: "production",
      maintenanceOverride: undefined,
      heartbeatUrl: undefined,
    });
  });

  it("is read whole", () => {
    expect(
      settingsOf({
        DATABASE_URL: ` ${DATABASE_URL} `,
        REDIS_URL: "rediss://:pass-word@cache.example:6380",
        LOCK_STORE: "redis",
        AFTERHOURS_ENV: "staging",
        MAINTENANCE_PHASE: "degraded",
        HEARTBEAT_URL: "https://monitor.example/ping/abc",
      }).settings,
    ).toEqual({
      databaseUrl: DATABASE_URL,
      redisUrl: "rediss://:pass-word@cache.example:6380",
      lockStore: "redis",
      environmentName: "staging",
      maintenanceOverride: "degraded",
      heartbeatUrl: "https://monitor.example/ping/abc",
    });
  });

  it("takes a job's own monitor before the one of all jobs, and names it when it is wrong", () => {
    const env = { DATABASE_URL, HEARTBEAT_URL: "https://monitor.example/all" };
    const own = "HEARTBEAT_URL_PAYOUTS_PROCESS_PAYOUTS";
    const urlOf = (extra: Record<string, string>, job: string): unknown => {
      const parsed = parseHarnessEnvironment({ ...env, ...extra }, job);
      return parsed.ok ? parsed.settings.heartbeatUrl : parsed.problems;
    };
    const payouts = "payouts/process-payouts";
    expect(urlOf({ [own]: "https://monitor.example/payouts" }, payouts)).toBe(
      "https://monitor.example/payouts",
    );
    expect(urlOf({ [own]: " " }, payouts)).toBe(env.HEARTBEAT_URL);
    expect(urlOf({ [own]: "https://monitor.example/payouts" }, "ops/prune")).toBe(
      env.HEARTBEAT_URL,
    );
    expect(urlOf({ [own]: "payouts" }, payouts)).toEqual([
      { variable: own, problem: "expected an http or https URL" },
    ]);
  });

  it("holds its locks in Redis where there is one, unless LOCK_STORE says otherwise", () => {
    const REDIS_URL = "rediss://cache.example:6379";
    expect(settingsOf({ REDIS_URL }).settings.lockStore).toBe("redis");
    expect(settingsOf({ REDIS_URL, LOCK_STORE: "postgres" }).settings.lockStore).toBe("postgres");
    expect(settingsOf({ REDIS_URL, LOCK_STORE: "off" }).settings.lockStore).toBe("off");
  });

  it("takes an empty variable for a missing one: that is what an unset secret becomes", () => {
    expect(
      settingsOf({ REDIS_URL: "", HEARTBEAT_URL: " ", LOCK_STORE: "" }).settings,
    ).toMatchObject({
      redisUrl: undefined,
      heartbeatUrl: undefined,
      lockStore: "postgres",
    });
    for (const env of [{}, { DATABASE_URL: "" }, { DATABASE_URL: " \t" }]) {
      expect(problemsOf(env)).toEqual([
        { variable: "DATABASE_URL", problem: "is missing or empty" },
      ]);
    }
  });

  it.each([
    ["DATABASE_URL", "postgres://app:p%ss#w@rd/1@db.example/afterhours"],
    ["DATABASE_URL", "postgres://app:12#ss@db.example/afterhours"],
    ["DATABASE_URL", "postgres://app:12/34@db.example/afterhours"],
    ["DATABASE_URL", "postgres://app:12?34@db.example/afterhours"],
    ["REDIS_URL", "rediss://:p/ss@cache.example:6379"],
    ["REDIS_URL", "redis://:12#ss@cache.example:6379"],
  ])("says of %s with a raw password how to write it, and repeats none of it", (name, value) => {
    const [problem] = problemsOf({ DATABASE_URL: "postgres://localhost/a", [name]: value });
    expect(problem?.variable).toBe(name);
    expect(problem?.problem).toContain("have to be percent-encoded: % as %25, @ as %40, # as %23");
    expect(problem?.problem).not.toMatch(/ss[@#]|12[#/?]/);
  });

  it("takes a password that is percent-encoded, and an address without one", () => {
    for (const DATABASE_URL of [
      "postgres://app:p%25ss%23w%40rd%2F1@db.example/afterhours?sslmode=require",
      "postgres://db.example/afterhours?user=app",
      "postgres://app:p@ss@db.example/afterhours",
    ]) {
      expect(problemsOf({ DATABASE_URL })).toEqual([]);
    }
  });

  it("names rediss where the address is that of an HTTP API", () => {
    const [problem] = problemsOf({
      DATABASE_URL: "postgres://localhost/a",
      REDIS_URL: "https://eu1.example.io",
    });
    expect(problem?.problem).toContain("rediss://host:6379");
  });

  it.each([
    ["sslmode=on", "expected sslmode to be one of disable, prefer, require"],
    ["sslmode=no-verify&uselibpqcompat=true", "verify-full (with uselibpqcompat=true)"],
    ["sslmode=verify-ca&uselibpqcompat=true", "needs sslrootcert"],
    ["sslmode=verify-full&sslrootcert=/no/such/ca.pem", "can not be read (ENOENT)"],
  ])("says of %s what is wrong before anything is started", (query, problem) => {
    const DATABASE_URL = `postgres://app:s3cret@db.example/a?${query}`;
    expect(problemsOf({ DATABASE_URL })).toMatchObject([
      { variable: "DATABASE_URL", problem: expect.stringContaining(problem) as string },
    ]);
  });

  describe("of a server on another machine", () => {
    const problemOf = (env: Record<string, string>): string | undefined =>
      problemsOf({ DATABASE_URL: "postgres://localhost/a", ...env })[0]?.problem;

    it.each([
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a?sslmode=disable", "db.example.com"],
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a?sslmode=no-verify", "db.example.com"],
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a?ssl=0", "db.example.com"],
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a?ssl=no-verify", "db.example.com"],
      ["DATABASE_URL", `postgres://u:s3cret@10.0.0.7/a?${LIBPQ}&sslmode=prefer`, "10.0.0.7"],
      ["DATABASE_URL", `postgres://u:s3cret@[fd00::7]/a?${LIBPQ}&sslmode=require`, "fd00::7"],
      // The driver connects to the host of the query.
      [
        "DATABASE_URL",
        "postgres://u:s3cret@localhost/a?host=db.example&sslmode=disable",
        "db.example",
      ],
      [
        "DATABASE_URL",
        "postgres://u:s3cret@127.0.0.1.db.example/a?sslmode=disable",
        "127.0.0.1.db.example",
      ],
      ["REDIS_URL", "redis://:s3cret@cache.example.com:6379", "cache.example.com"],
      ["REDIS_URL", "redis://:s3cret@128.0.0.1", "128.0.0.1"],
      ["HEARTBEAT_URL", "http://monitor.example/s3cret", "monitor.example"],
    ])("%s as %s is refused, unless ALLOW_PLAINTEXT names it", (variable, value, host) => {
      const problem = problemOf({ [variable]: value }) ?? "";
      expect(problem).toContain(`does not protect the data sent to ${host}: expected `);
      expect(problem).toContain(`add ${host} to ALLOW_PLAINTEXT`);
      expect(problem).not.toContain("s3cret");
      const others = "other.example, example.com, fd00::8";
      expect(problemOf({ [variable]: value, ALLOW_PLAINTEXT: others })).toBe(problem);
      const named = `other.example, ${host.toUpperCase()}`;
      expect(problemOf({ [variable]: value, ALLOW_PLAINTEXT: named })).toBeUndefined();
    });

    it.each([
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a"],
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a?sslmode=verify-full"],
      ["DATABASE_URL", "postgres://u:s3cret@db.example.com/a?sslmode=require"],
      ["DATABASE_URL", "postgres://u:s3cret@127.8.9.1/a?sslmode=disable"],
      ["DATABASE_URL", "postgres://u:s3cret@[::1]/a?sslmode=disable"],
      ["DATABASE_URL", "postgres:///a?host=/var/run/postgresql&sslmode=disable"],
      ["DATABASE_URL", "postgres://%2Fvar%2Frun/a?sslmode=disable"],
      ["REDIS_URL", "rediss://:s3cret@cache.example.com:6379/2?family=6"],
      ["REDIS_URL", "redis://:s3cret@localhost:6379"],
      ["HEARTBEAT_URL", "http://127.0.0.1:8000/s3cret"],
    ])("%s as %s is taken: it is verified, or within this machine", (variable, value) => {
      expect(problemOf({ [variable]: value })).toBeUndefined();
    });

    it.each([
      [
        "DATABASE_URL",
        "postgres://db.example/a?sslmode=verify-full&sslmode=disable",
        "sslmode more",
      ],
      [
        "DATABASE_URL",
        "postgres://localhost/a?host=localhost&host=db.example",
        "host more than once",
      ],
      ["DATABASE_URL", "postgres://app:%ff@localhost/a", "write a % of the text itself as %25"],
      // To the driver it is the option `tls`, and off.
      ["REDIS_URL", "rediss://:s3cret@cache.example?tls=", "no parameters but db and family"],
      ["REDIS_URL", "rediss:///0?host=cache.example", "no parameters but db and family"],
      ["REDIS_URL", "rediss://:50%off@cache.example", "write it as %25"],
      ["ALLOW_PLAINTEXT", "postgres://db.internal", "host names, separated by commas"],
      ["ALLOW_PLAINTEXT", "*", "host names, separated by commas"],
      ["ALLOW_PLAINTEXT", "db.internal:5432", "without scheme, port"],
      ["NODE_TLS_REJECT_UNAUTHORIZED", "0", "remove it"],
    ])("%s as %s can not pass by that rule", (variable, value, problem) => {
      expect(problemOf({ [variable]: value })).toContain(problem);
    });
  });

  it("says everything that is wrong at once, with what was expected", () => {
    expect(
      problemsOf({
        DATABASE_URL: "mysql://db.example/afterhours",
        REDIS_URL: "cache.example",
        LOCK_STORE: "zookeeper",
        MAINTENANCE_PHASE: "on",
        HEARTBEAT_URL: "ftp://monitor.example",
      }),
    ).toEqual([
      {
        variable: "DATABASE_URL",
        problem:
          "expected a URL like postgres://host:5432/name, with user and password before the host",
      },
      { variable: "REDIS_URL", problem: "expected a URL like rediss://host:6379" },
      { variable: "LOCK_STORE", problem: "expected redis, postgres or off" },
      { variable: "MAINTENANCE_PHASE", problem: "expected off, degraded or offline" },
      { variable: "HEARTBEAT_URL", problem: "expected an http or https URL" },
    ]);
  });

  it("misses REDIS_URL when locks are to be in Redis", () => {
    expect(problemsOf({ DATABASE_URL, LOCK_STORE: "redis" })).toEqual([
      { variable: "REDIS_URL", problem: "is missing, and LOCK_STORE is redis" },
    ]);
  });

  it("never repeats a value, however wrong it is", () => {
    const value = fc.string({
      unit: fc.constantFrom(...Array.from("!§$%&qxyzQXYZ#*0123")),
      minLength: 8,
    });
    fc.assert(
      fc.property(value, (text) => {
        const problems = problemsOf(
          Object.fromEntries(harnessVariables.map(({ name }) => [name, text])),
        );
        expect(problems.length).toBeGreaterThan(0);
        expect(JSON.stringify(problems)).not.toContain(text);
      }),
    );
  });

  it("names what must be masked: addresses, which hold the passwords", () => {
    const { secrets } = settingsOf({
      REDIS_URL: "rediss://:p%40ss-word@cache.example:6379",
      HEARTBEAT_URL: "https://monitor.example/ping/abc",
    });
    expect(secrets).toEqual(
      expect.arrayContaining([
        DATABASE_URL,
        "rediss://:p%40ss-word@cache.example:6379",
        "https://monitor.example/ping/abc",
      ]),
    );
    expect(secretForms(secrets)).toEqual(
      expect.arrayContaining(["s3cret-word", "p@ss-word", "p%40ss-word"]),
    );
  });

  it("bears a password with a per cent sign that encodes nothing", () => {
    const { secrets } = settingsOf({ DATABASE_URL: "postgres://app:half-50%off@db.example/x" });
    expect(secretForms(secrets)).toContain("half-50%off");
  });

  it("knows every variable that it reads", () => {
    const read = new Set<string>();
    const env = new Proxy<Record<string, string>>(
      { DATABASE_URL },
      {
        get(target, name) {
          if (typeof name === "string") read.add(name);
          return Reflect.get(target, name) as unknown;
        },
      },
    );
    parseHarnessEnvironment(env);
    // Node's own: looked at, and no variable of ours.
    read.delete("NODE_TLS_REJECT_UNAUTHORIZED");
    // Read apart from the others: a run whose environment is wrong obeys them too.
    const apart = ["DRY_RUN", "REPORT_FILE"];
    const listed = harnessVariables.map(({ name }) => name).filter((name) => !apart.includes(name));
    expect([...read].sort()).toEqual(listed.sort());
  });
});

describe("the origin of a run", () => {
  it("is the commit and the page of the workflow run", () => {
    expect(
      runOrigin({
        GITHUB_SHA: "0123abcd",
        GITHUB_SERVER_URL: "https://github.example",
        GITHUB_REPOSITORY: "acme/afterhours",
        GITHUB_RUN_ID: "42",
      }),
    ).toMatchObject({
      commit: "0123abcd",
      runUrl: "https://github.example/acme/afterhours/actions/runs/42",
    });
  });

  it("is this machine alone elsewhere", () => {
    const origin = runOrigin({ GITHUB_SERVER_URL: "https://github.example" });
    expect(origin).toEqual({
      commit: undefined,
      runUrl: undefined,
      host: expect.stringMatching(/./) as string,
    });
  });
});
