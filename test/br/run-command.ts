/** `levin checkpoint …` in this process. */
import { seededRandom } from "../../src/base/mod.ts";
import { runCli } from "../../src/cli/mod.ts";
import { SimClock } from "./sim-clock.ts";

export async function runCheckpoint(
  words: string[],
  nowMs = 1.9e12,
): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const clock = new SimClock();
  clock.nowMs = () => nowMs;
  const code = await runCli(["checkpoint", ...words], "levin", {
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
    terminal: undefined,
    environment: {},
    clock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    version: "test",
    pid: 1,
    encodeWorker: new URL(import.meta.url),
  });
  return { code, out: out.join(""), err: err.join("") };
}
