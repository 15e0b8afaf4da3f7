/** Whole imports, as a user runs them: `levin import` in one process into `levin sandbox` in another. */
import { join } from "node:path";
import type { Bench, BenchContext, BenchResult, Measure } from "../bench.ts";
import { makeWorkload, type WorkloadName } from "../data/workloads.ts";

const main = new URL("../../../src/main.ts", import.meta.url).pathname;

interface Addresses {
  tidb: { host: string; port: number };
  status: { port: number };
  pd: string[];
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream) {
    text += new TextDecoder().decode(part);
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}

/** Runs one import and takes the times of its stages from its own events. */
async function importRun(
  workload: WorkloadName,
  workers: number,
  stores: number,
  blocks: "level" | "files",
  context: BenchContext,
): Promise<BenchResult> {
  const source = join(context.dir, "source");
  const { sourceBytes, rows } = makeWorkload(workload, source, context.sizeBytes, context.seed);
  const sandbox = Bun.spawn(
    [process.execPath, main, "sandbox", "--dir", join(context.dir, "cluster"), "--stores", String(stores), "--json"],
    {
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  try {
    const { tidb, status, pd } = JSON.parse(await firstLine(sandbox.stdout)) as Addresses;
    const target = [
      "--tidb-host",
      tidb.host,
      "--tidb-port",
      String(tidb.port),
      "--tidb-status",
      String(status.port),
      "--pd-urls",
      pd.join(","),
    ];
    const startedMs = performance.now();
    const run = Bun.spawn(
      [
        process.execPath,
        main,
        "import",
        source,
        ...target,
        "--json",
        "--workers",
        String(workers),
        "--block-store",
        blocks,
        "--state-dir",
        join(context.dir, "state"),
      ],
      {
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const marks = new Map<string, number>();
    let pairBytes = 0;
    let sums = "";
    let rest = "";
    for await (const part of run.stdout) {
      const lines = (rest + new TextDecoder().decode(part)).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const event = JSON.parse(line) as { kind: string; stage?: string; bytes?: string; localCrc?: string };
        if (event.kind === "progress" && event.stage !== undefined && !marks.has(event.stage))
          marks.set(event.stage, performance.now());
        if (event.kind === "table-done") {
          pairBytes += Number(event.bytes);
          sums += event.localCrc;
        }
      }
    }
    const code = await run.exited;
    if (code !== 0) throw new Error(`the import ended with ${code}: ${await new Response(run.stderr).text()}`);
    const endMs = performance.now();
    const usage = run.resourceUsage();
    const cpuMs = usage === undefined ? 0 : Number(usage.cpuTime.total) / 1000;
    const at = (stage: string, otherwise: number) => marks.get(stage) ?? otherwise;
    const ingest = at("ingest", endMs);
    const verify = at("verify", endMs);
    const measures: Measure[] = [
      { stage: "end to end", bytes: sourceBytes, items: rows, ms: endMs - startedMs, cpuMs, limit: "file read" },
      {
        stage: "encode (wall)",
        bytes: sourceBytes,
        items: rows,
        ms: ingest - at("encode", startedMs),
        cpuMs: 0,
        limit: "file read",
      },
      { stage: "ingest (wall)", bytes: pairBytes, ms: verify - ingest, cpuMs: 0, limit: "raw LevelDB read" },
    ];
    return {
      measures,
      hash: sums.slice(0, 16),
      note: `import process: peak RSS ${((usage?.maxRSS ?? 0) / 2 ** 20).toFixed(0)} MiB`,
    };
  } finally {
    sandbox.kill("SIGTERM");
    await sandbox.exited;
  }
}

const bench = (
  workload: WorkloadName,
  workers: number,
  stores: number,
  blocks: "level" | "files" = "level",
): Bench => ({
  name: `import/${workload}-${workers}w-${stores}s${blocks === "level" ? "" : `-${blocks}`}`,
  about: `levin import of ${workload}, ${workers} workers, blocks in ${blocks}, into ${stores} stores of a sandbox process`,
  slow: true,
  run: (context) => importRun(workload, workers, stores, blocks, context),
});

export const benches: Bench[] = [
  bench("lineitem", 1, 1),
  bench("lineitem", 2, 1),
  bench("lineitem", 2, 1, "files"),
  bench("lineitem", 2, 3),
  bench("sysbench", 2, 1),
  bench("many-tables", 2, 1),
];
