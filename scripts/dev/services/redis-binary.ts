import {
  fetchProgram,
  findProgram,
  type DebianProgram,
  type ProgramBinary,
} from "./debian-program.ts";

const REDIS: DebianProgram = {
  name: "redis-server",
  folder: "usr/bin",
  notFound: "REDIS_NOT_FOUND",
  remedy:
    "Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), " +
    "or set REDIS_URL to a server that may be used for tests.",
};

/** `redis-server` from the PATH, or the copy that was fetched before. */
export function findRedis(): ProgramBinary | undefined {
  return findProgram(REDIS);
}

/**
 * Fetches Debian's redis-server into `.cache/`; nothing is installed.
 *
 * @throws AfterhoursError where there is no apt-get or the packages cannot be had
 */
export function fetchRedis(options: { say?: (line: string) => void } = {}): ProgramBinary {
  return fetchProgram(REDIS, options);
}
