import { createServer } from "node:net";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LockUnavailableError } from "../../../../lib/job/lock/lock-store.ts";
import { createRedisLockStore } from "../../../../lib/job/lock/redis-lock-store.ts";
import { freePort } from "../../../../scripts/dev/services/free-port.ts";
import { startRedis, type RunningRedis } from "../../../../scripts/dev/services/redis.ts";
import { makeCertificates, type TestCertificates } from "../../../support/certificates.ts";
import { describeWithRedis } from "../../../support/redis.ts";

describeWithRedis("a Redis that answers and gives no lock", () => {
  let certificates: TestCertificates;
  let redis: RunningRedis;
  let tlsPort: number;
  let admin: Redis;
  beforeAll(async () => {
    certificates = makeCertificates();
    tlsPort = await freePort();
    redis = await startRedis({
      settings: {
        "tls-port": String(tlsPort),
        "tls-cert-file": certificates.selfSigned.cert,
        "tls-key-file": certificates.selfSigned.key,
        "tls-ca-cert-file": certificates.ca,
        "tls-auth-clients": "no",
        "enable-protected-configs": "yes",
      },
    });
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    await admin.quit();
    await redis.stop();
    certificates.remove();
  });

  /** Message and remedy of the error with which a lock is refused; `jobs -- check` says the same. */
  async function refusalOf(url: string): Promise<string> {
    const said: string[] = [];
    for (const act of ["acquire", "check"] as const) {
      const store = createRedisLockStore(url, { now: () => new Date() });
      const request = { key: "afterhours:test:answers", owner: "me", ttlMs: 1000 };
      const work = act === "acquire" ? store.acquire(request) : store.check();
      const error: unknown = await work.then(
        (lock) => lock,
        (thrown: unknown) => thrown,
      );
      await store.close();
      expect(error).toBeInstanceOf(LockUnavailableError);
      const { message, remedy, code } = error as LockUnavailableError;
      expect(code).toBe("LOCK_UNAVAILABLE");
      said.push(`${message}. ${remedy ?? ""}`);
    }
    expect(said[1]).toBe(said[0]);
    expect(said[0]).not.toContain("cannot be reached");
    expect(said[0]).not.toContain(new URL(redis.url).password);
    return said[0] ?? "";
  }
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(redis.url);
    change(url);
    return url.href;
  };

  it("because it is a replica says READONLY and to look for the primary", async () => {
    await admin.replicaof("127.0.0.1", await freePort());
    await admin.config("SET", "replica-serve-stale-data", "yes");
    const said = await refusalOf(redis.url);
    await admin.replicaof("NO", "ONE");
    expect(said).toContain("takes no writes because it is a replica or another node (READONLY)");
    expect(said).toContain("must lead to the primary");
  });

  it("because it has no memory left says OOM", async () => {
    await admin.config("SET", "maxmemory", "1");
    const said = await refusalOf(redis.url);
    await admin.config("SET", "maxmemory", "0");
    expect(said).toContain("no memory, disk or connection left (OOM)");
  });

  it("because it can not save its snapshot says MISCONF", async () => {
    await admin.config("SET", "dir", "/proc/self");
    await admin.config("SET", "save", "1 1");
    await admin.set("answers:changed", "1");
    await admin.bgsave().catch(() => undefined);
    await expect.poll(() => admin.info("persistence")).toContain("rdb_last_bgsave_status:err");
    const said = await refusalOf(redis.url);
    await admin.config("SET", "save", "");
    await admin.config("SET", "stop-writes-on-bgsave-error", "no");
    expect(said).toContain("no memory, disk or connection left (MISCONF)");
  });

  it("because the password is missing or wrong, or the user may not write, says which", async () => {
    expect(await refusalOf(changed((url) => (url.password = "")))).toContain(
      "refuses the login (NOAUTH)",
    );
    const wrong = await refusalOf(changed((url) => (url.password = "wrong")));
    expect(wrong).toContain("refuses the login (WRONGPASS)");
    expect(wrong).toContain("password in REDIS_URL");
    await admin.acl("SETUSER", "reader", "on", ">reader", "~*", "+@read", "+@connection", "+info");
    const reader = await refusalOf(changed((url) => (url.username = url.password = "reader")));
    expect(reader).toContain("does not allow this to this login or machine (NOPERM)");
  });

  it("because nobody vouches for its certificate says so", async () => {
    const url = changed((to) => (to.port = String(tlsPort))).replace("redis://", "rediss://");
    const said = await refusalOf(url);
    expect(said).toContain("its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)");
    expect(said).toContain("NODE_EXTRA_CA_CERTS");
  });

  it("because one side speaks TLS and the other does not says which", async () => {
    const toTls = await refusalOf(changed((url) => (url.port = String(tlsPort))));
    expect(toTls).toContain("takes only encrypted connections");
    expect(toTls).toContain("rediss://");
    const toPlain = await refusalOf(redis.url.replace("redis://", "rediss://"));
    expect(toPlain).toContain("answers, and offers no TLS");
  });

  it("because it still loads its data says so", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        // As Redis does: what it tells of itself may be read meanwhile, nothing else.
        const facts = "loading:1\r\nloading_eta_seconds:100\r\n";
        for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          const isInfo = command?.toLowerCase() === "info";
          socket.write(
            isInfo
              ? `$${facts.length}\r\n${facts}\r\n`
              : "-LOADING Redis is loading the dataset in memory\r\n",
          );
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const said = await refusalOf(`redis://127.0.0.1:${port}`);
    server.close();
    expect(said).toContain("it is starting or stopping, or asks us to come later (LOADING)");
  });
});
