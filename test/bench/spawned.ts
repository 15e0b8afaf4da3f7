/** Programs and clusters in processes of their own, for benchmarks of whole runs. */
import { openSync } from "node:fs";
import { join } from "node:path";
import type { Cost } from "./bench.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

/** levin's own command line. */
export const levin = (...words: string[]): string[] => [process.execPath, main, ...words];

/** A process to its end; its wall and CPU time. */
export async function spawned(words: string[], stdin?: string): Promise<Cost> {
  const startedMs = performance.now();
  const child = Bun.spawn(words, {
    stdin: stdin === undefined ? "ignore" : openSync(stdin, "r"),
    stdout: "ignore",
    stderr: "pipe",
  });
  const err = await new Response(child.stderr).text();
  const code = await child.exited;
  if (code !== 0) throw new Error(`${words.slice(0, 3).join(" ")} ended with ${code}: ${err.slice(-2000)}`);
  return { ms: performance.now() - startedMs, cpuMs: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000 };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream) {
    text += new TextDecoder().decode(part);
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}

/** Gives a sandbox of its own process, started with some flags: the flags that lead into it, and the port of its SQL front. */
export async function withSandbox<T>(
  dir: string,
  use: (target: string[], port: number) => Promise<T>,
  flags: readonly string[] = [],
): Promise<T> {
  const sandbox = Bun.spawn(levin("sandbox", "--dir", join(dir, "cluster"), ...flags, "--json"), {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const { tidb, status, pd } = JSON.parse(await firstLine(sandbox.stdout)) as {
      tidb: { host: string; port: number };
      status: { port: number };
      pd: string[];
    };
    const address = [`--tidb-host=${tidb.host}`, `--tidb-port=${tidb.port}`, `--tidb-status=${status.port}`];
    return await use([...address, `--pd-urls=${pd.join(",")}`], tidb.port);
  } finally {
    sandbox.kill("SIGTERM");
    await sandbox.exited;
  }
}
