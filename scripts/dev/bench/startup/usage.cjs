/** Loaded before a process that is measured: says at its very end what it has used, on its fourth stream. */
const { readFileSync, writeSync } = process.getBuiltinModule("node:fs");

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpuMs = (userCPUTime + systemCPUTime) / 1000;
  writeSync(3, JSON.stringify({ cpuMs, peakMb: (peakKb() ?? maxRSS) / 1024 }));
});

/** Of this program alone. What Linux says of the process includes the one that it was forked from. */
function peakKb() {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return kb === undefined ? undefined : Number(kb);
  } catch {
    return undefined;
  }
}
