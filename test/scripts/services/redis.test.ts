import { Redis } from "ioredis";
import { afterEach, expect, it } from "vitest";
import { startRedis } from "../../../scripts/dev/services/redis.ts";
import type { TestRedis } from "../../support/redis.ts";
import { describeWithRedis, useTestRedis } from "../../support/redis.ts";
import { startScript } from "../../support/run-script.ts";
import { waitUntilNobodyListens } from "./gone.ts";

describeWithRedis("startRedis", () => {
  it("starts a server that demands its password and keeps nothing on disk", async () => {
    const server = await startRedis();
    const client = new Redis(server.url);
    expect(await client.config("GET", "save")).toEqual(["save", ""]);
    expect(await client.config("GET", "bind")).toEqual(["bind", "127.0.0.1"]);
    await client.quit();

    const stranger = new Redis({ port: server.port, host: "127.0.0.1", retryStrategy: () => null });
    stranger.on("error", () => undefined);
    await expect(stranger.get("x")).rejects.toThrow("NOAUTH");
    stranger.disconnect();
    await server.stop();
    await waitUntilNobodyListens(server.url);
  });

  it("comes back empty on the same port after it was killed", async () => {
    const server = await startRedis();
    const client = new Redis(server.url);
    client.on("error", () => undefined);
    await client.set("key", "value");
    await server.kill("SIGKILL");
    await server.restart();
    expect(await client.get("key")).toBeNull();
    await client.quit();
    await server.stop();
  });

  it("ends with a process that was killed", async () => {
    const args = ["--redis", "--wait"];
    const script = startScript("test/scripts/services/hold-servers.ts", { args });
    const stdout = await script.printed("}\n");
    const { redis } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { redis: string };
    script.process.kill("SIGKILL");
    await script.ended;
    await waitUntilNobodyListens(redis);
  });
});

describeWithRedis("useTestRedis", () => {
  const opened: TestRedis[] = [];

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((redis) => redis.close()));
  });

  it("removes the keys of its own test and no others", async () => {
    const [mine, others] = [useTestRedis(), useTestRedis()];
    opened.push(others);
    await mine.client.set(`${mine.keyPrefix}a`, "1");
    await others.client.set(`${others.keyPrefix}a`, "2");
    await mine.close();
    expect(await others.client.exists(`${mine.keyPrefix}a`)).toBe(0);
    expect(await others.client.get(`${others.keyPrefix}a`)).toBe("2");
  });
});
