import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import { newSession } from "../../../lib/db/session.ts";
import { openControlPool } from "../../../lib/db/pool.ts";
import { startPostgres, type RunningPostgres } from "../../../scripts/dev/services/postgres.ts";
import {
  makeCertificates,
  type Certificate,
  type TestCertificates,
} from "../../support/certificates.ts";
import { DatabaseUnreachableError } from "../../../lib/db/errors.ts";

let certificates: TestCertificates;
let server: RunningPostgres;
let plain: RunningPostgres;
/** What the server shows now; other certificates are copied over it. */
let shown: Certificate;

beforeAll(async () => {
  certificates = makeCertificates();
  const folder = join(certificates.ca, "..");
  shown = certificates.shown;
  const settings = { ssl: "on", ssl_cert_file: shown.cert, ssl_key_file: shown.key };
  server = await startPostgres({ durability: "none", inMemory: true, settings });
  plain = await startPostgres({ durability: "none", inMemory: true });
  writeFileSync(join(folder, "no-certificate.pem"), "nothing of the kind\n");
});
afterAll(async () => {
  await server.stop();
  await plain.stop();
  certificates.remove();
});

async function show({ cert, key }: Certificate): Promise<void> {
  copyFileSync(cert, shown.cert);
  copyFileSync(key, shown.key);
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}

/** `on` or `off` for a session that came about, else the error's message. */
async function connect(url: string): Promise<string> {
  const warned: string[] = [];
  const warn = (warning: Error): void => void warned.push(warning.message);
  process.on("warning", warn);
  try {
    const retries: unknown[] = [];
    const pool = await openControlPool(
      { url, applicationName: "tls test", readOnly: true },
      { random: () => 0, onRetry: (event) => retries.push(event) },
    ).catch((error: unknown) => {
      if (!(error instanceof DatabaseUnreachableError)) throw error;
      expect(retries).toEqual([]);
      return error;
    });
    if (pool instanceof DatabaseUnreachableError) return `${pool.message}. ${pool.remedy ?? ""}`;
    const { rows } = await pool.query<{ ssl: boolean }>(
      "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    await pool.end();
    return rows[0]?.ssl ? "encrypted" : "plain";
  } finally {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warn);
    expect(warned).toEqual([]);
  }
}

describe("a database with TLS", () => {
  const withCa = (query: string): string =>
    `${server.url}?${query}&sslrootcert=${encodeURIComponent(certificates.ca)}`;

  it("whose certificate its authority vouches for is encrypted in every mode but disable", async () => {
    await show(certificates.good);
    for (const mode of ["prefer", "require", "verify-ca", "verify-full", "no-verify"]) {
      expect([mode, await connect(withCa(`sslmode=${mode}`))]).toEqual([mode, "encrypted"]);
      const asLibpq = withCa(`uselibpqcompat=true&sslmode=${mode}`);
      expect([mode, await connect(asLibpq)]).toEqual([mode, "encrypted"]);
    }
    expect(await connect(`${server.url}?sslmode=disable`)).toBe("plain");
    expect(await connect(server.url)).toBe("plain");
  });

  it.each([
    ["selfSigned", "its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)", "sslrootcert"],
    ["expired", "has expired or is not valid yet (CERT_HAS_EXPIRED)", "Renew"],
    [
      "ofOtherHost",
      "its certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)",
      "host name",
    ],
  ] as const)("whose certificate is %s answers, and is not spoken to", async (name, says, cure) => {
    await show(certificates[name]);
    for (const mode of ["prefer", "require", "verify-ca", "verify-full"]) {
      const said = await connect(withCa(`sslmode=${mode}`));
      expect(said).toContain(says);
      expect(said).toContain(cure);
      expect(said).not.toContain("cannot be reached");
    }
    expect(await connect(`${server.url}?sslmode=no-verify`)).toBe("encrypted");
  });

  it("is taken by libpq's rules where the address asks for them", async () => {
    await show(certificates.ofOtherHost);
    const asLibpq = (query: string): string => `uselibpqcompat=true&${query}`;
    expect(await connect(`${server.url}?${asLibpq("sslmode=require")}`)).toBe("encrypted");
    expect(await connect(withCa(asLibpq("sslmode=require")))).toBe("encrypted");
    expect(await connect(withCa(asLibpq("sslmode=verify-ca")))).toBe("encrypted");
    expect(await connect(withCa(asLibpq("sslmode=verify-full")))).toContain("another host");
    await show(certificates.selfSigned);
    expect(await connect(withCa(asLibpq("sslmode=verify-ca")))).toContain("not trusted");
  });

  it("says what a session of it really has", async () => {
    const channelOf = async (url: string): Promise<string> => {
      const session = newSession({ url, applicationName: "tls test", readOnly: true });
      await session.connect();
      const { words } = session.channel;
      await session.end();
      return words;
    };
    await show(certificates.good);
    expect(await channelOf(withCa("sslmode=verify-full"))).toMatch(
      /^TLSv1\.3 TLS_[A-Z0-9_]+, certificate and host name verified$/,
    );
    expect(await channelOf(`${server.url}?sslmode=no-verify`)).toContain(
      "certificate NOT verified",
    );
    expect(await channelOf(server.url)).toBe("plain text within this machine");
    await show(certificates.ofOtherHost);
    const ofOther = await channelOf(withCa("uselibpqcompat=true&sslmode=verify-ca"));
    expect(ofOther).toContain("host name NOT verified");
  });

  it("whose authority's file is missing or holds no certificate says so", async () => {
    const missing = await connect(`${server.url}?sslmode=verify-full&sslrootcert=/no/such/ca.pem`);
    expect(missing).toContain("file of ours is missing or can not be read (ENOENT)");
    expect(missing).toContain("sslrootcert");
    const folder = join(certificates.ca, "..");
    await show(certificates.good);
    const said = await connect(
      `${server.url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, "no-certificate.pem"))}`,
    );
    expect(said).toMatch(/not trusted|file of ours/);
  });

  it("that takes only encrypted sessions says so to a plain one", () => {
    const fault = Object.assign(
      new Error(
        'no pg_hba.conf entry for host "10.0.0.1", user "app", database "a", no encryption',
      ),
      { code: "28000" },
    );
    const error = new DatabaseUnreachableError("postgres://app:s3cret@db.example/a", fault);
    expect(error.message).toContain("takes only encrypted connections (28000)");
    expect(error.remedy).toContain("sslmode=verify-full");
  });
});

describe("a database that answers", () => {
  it("without TLS is not said to be away", async () => {
    const said = await connect(`${plain.url}?sslmode=require`);
    expect(said).toContain("answers, and offers no TLS");
    expect(said).toContain("sslmode=disable");
  });

  it("to a wrong password, user or name says which of them", async () => {
    const url = (change: (url: URL) => void): string => {
      const changed = new URL(plain.url);
      change(changed);
      return changed.href;
    };
    expect(await connect(url((to) => (to.password = "wrong")))).toContain(
      "refuses the login (28P01)",
    );
    expect(await connect(url((to) => (to.username = "nobody")))).toContain(
      "refuses the login (28P01)",
    );
    expect(await connect(url((to) => (to.password = "")))).toContain("refuses the login");
    const none = await connect(url((to) => (to.pathname = "/none")));
    expect(none).toContain("has nothing of that name (3D000)");
    expect(none).toContain("name at the end of DATABASE_URL");
  });

  it("and has no session left is full, and is asked again", async () => {
    const admin = new pg.Client({ connectionString: plain.url });
    await admin.connect();
    await admin.query("CREATE DATABASE crowded CONNECTION LIMIT 0");
    await admin.query("CREATE ROLE guest LOGIN PASSWORD 'guest'");
    const to = new URL(plain.urlOf("crowded"));
    to.username = to.password = "guest";
    const stop = new AbortController();
    const opening = openControlPool(
      { url: to.href, applicationName: "full", readOnly: true },
      { random: () => 0, signal: stop.signal, onRetry: () => stop.abort() },
    );
    await expect(opening).rejects.toThrow("no memory, disk or connection left (53300)");
    await admin.end();
  });
});

it("an address's parameters of TLS never reach the driver under names that it warns of", () => {
  const config = connectionConfig({
    url: "postgres://app:p%40ss@db.example/a?sslmode=require&application_name=x",
    applicationName: "x",
    readOnly: true,
  });
  expect(config.connectionString).toContain(":p%40ss@db.example/a?sslmode=verify-full");
});
