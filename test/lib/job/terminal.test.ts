import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openTerminal } from "../../../lib/job/terminal.ts";

async function open({ isTTY }: { isTTY: boolean }) {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const terminal = await openTerminal(stream as unknown as NodeJS.WriteStream);
  return { terminal, written: () => String(stream.read() ?? "") };
}

const line = (msg: string) =>
  `${JSON.stringify({ level: "info", time: "2026-11-22T15:37:00.000Z", msg })}\n`;

describe("where nobody watches", () => {
  it("log lines are JSON as they are, and there is no progress line", async () => {
    const { terminal, written } = await open({ isTTY: false });
    terminal.progress.update(5, 100);
    terminal.destination.write(line("started"));
    terminal.finish();
    expect(written()).toBe(line("started"));
  });

  it.each(["##[set-output name=success]true", "::error::x", "text ##[add-mask]a and ##[debug]b"])(
    "no text of a log line is a command to the Actions runner: %s",
    async (text) => {
      const { terminal, written } = await open({ isTTY: false });
      terminal.destination.write(line(text));
      const output = written();
      expect(output.trimStart()).not.toMatch(/^::/);
      expect(output).not.toContain("##[");
      expect((JSON.parse(output) as { msg: string }).msg).toBe(text);
    },
  );
});

describe("on a terminal", () => {
  it("log lines are for people", async () => {
    const { terminal, written } = await open({ isTTY: true });
    terminal.destination.write(line("started"));
    const output = written();
    expect(output).toContain("started");
    expect(output).not.toContain('"msg"');
  });

  it("each log line goes above the progress line, which is drawn again below it", async () => {
    const { terminal, written } = await open({ isTTY: true });
    terminal.progress.update(25, 100);
    terminal.destination.write(line("paid one"));
    expect(written()).toMatch(/\u001b\[2K[^]*paid one[^]*\n\u001b\[1G█+░+ 25\/100, /);
    terminal.progress.update(26, 100);
    terminal.destination.write(line("paid another"));
    expect(written()).toMatch(/paid another[^]*\n\u001b\[1G█+░+ 26\/100, [\d.?]+ a second, /);
    terminal.finish();
    expect(written()).toMatch(/\u001b\[1G\u001b\[0J$/);
  });

  it("the progress line has the rate and the time left, once there is a rate", async () => {
    const { terminal, written } = await open({ isTTY: true });
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    terminal.progress.update(0, 100);
    vi.advanceTimersByTime(500);
    expect(written()).toContain(" 0/100, ? a second, unknown left");
    vi.advanceTimersByTime(500);
    terminal.progress.update(25, 100);
    vi.advanceTimersByTime(500);
    expect(written()).toContain(" 25/100, 25.0 a second, 3s left");
    terminal.finish();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("no text of somebody else begins a line of its own, or turns the direction of what follows", async () => {
    const { terminal, written } = await open({ isTTY: true });
    const evil = "refused\n[12:00:00] INFO: paid\u0085\u2028\u202egnp.exe\u001b[2J";
    const stack = `Error: ${evil}\n    at pay (lib/pay.ts:1:2)`;
    terminal.destination.write(
      `${JSON.stringify({ level: "error", time: "2026-11-22T15:37:00.000Z", msg: evil, payee: "क्\u200dष", detail: evil, err: { type: "Error", message: evil, stack } })}\n`,
    );
    const output = written();
    expect(output).not.toMatch(/^.{0,10}\[12:00:00\]/m);
    expect(output).not.toMatch(/[\u0085\u2028\u202e]|\u001b\[2J/);
    expect(output).toContain("क्\u200dष");
    expect(output).toMatch(/^ +at pay /m);
  });

  it("nothing is left of the progress line after the end", async () => {
    const { terminal, written } = await open({ isTTY: true });
    terminal.progress.update(100, 100);
    terminal.finish();
    written();
    terminal.finish();
    terminal.destination.write(line("summary follows"));
    expect(written()).not.toContain("100/100");
  });

  it("a handful of items needs no progress line", async () => {
    const { terminal, written } = await open({ isTTY: true });
    terminal.progress.update(1, 5);
    expect(written()).toBe("");
  });
});
