import { seededRandom, systemClock } from "../../src/base/mod.ts";
import { runCli } from "../../src/cli/mod.ts";

/** Runs `levin encode` in process; `nowMs`: its clock. */
export async function encode(args: string[], nowMs?: number): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(["encode", ...args], "levin", {
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
    terminal: undefined,
    environment: {},
    clock: nowMs === undefined ? systemClock : { ...systemClock, nowMs: () => nowMs },
    random: seededRandom(1),
    signal: new AbortController().signal,
    version: "0",
    pid: 1,
    encodeWorker: new URL("file:///none"),
  });
  return { code, out: out.join(""), err: err.join("") };
}
