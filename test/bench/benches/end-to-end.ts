/** Whole imports, as a user runs them: `levin import` in one process into `levin sandbox` in another. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash, type RssSample } from "../bench.ts";
import { makeWorkload, type WorkloadName } from "../data/workloads.ts";
import { levin, withSandbox } from "../spawned.ts";

const RSS_EVERY_MS = 100;

/** Looks at another process's resident memory until the function that it returns is called. */
function watchRss(pid: number): () => RssSample[] {
  const samples: RssSample[] = [];
  const startedMs = performance.now();
  const timer = setInterval(() => {
    try {
      const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
      samples.push({ ms: performance.now() - startedMs, bytes: pages * 4096 });
    } catch {
      // The process has just ended, or the system has no such files.
    }
  }, RSS_EVERY_MS);
  return () => {
    clearInterval(timer);
    return samples;
  };
}

interface TableResult {
  table: string;
  rows: number;
  kvs: string;
  bytes: string;
  localCrc: string;
}

/** Tables that are made at the same time get their ids in any order, and ids are part of keys: only a single table's checksum counts. */
function hashOf(tables: readonly TableResult[]): string {
  const hash = new ResultHash();
  for (const { table, rows, kvs, bytes } of tables.toSorted((a, b) => (a.table < b.table ? -1 : 1)))
    hash.add(table, rows, kvs, bytes);
  if (tables.length === 1) hash.add(tables[0]!.localCrc);
  return `${hash}`;
}

/** Runs one import and takes the times of its stages from its own events. */
function importRun(
  workload: WorkloadName,
  workers: number,
  stores: number,
  blocks: "files" | "level",
  context: BenchContext,
): Promise<BenchResult> {
  const source = join(context.dir, "source");
  const { sourceBytes, rows } = makeWorkload(workload, source, context.sizeBytes, context.seed);
  const more = [
    "--json",
    "--workers",
    `${workers}`,
    "--block-store",
    blocks,
    "--state-dir",
    join(context.dir, "state"),
  ];
  const measured = async (target: string[]): Promise<BenchResult> => {
    const startedMs = performance.now();
    const run = Bun.spawn(levin("import", source, ...target, ...more), { stdout: "pipe", stderr: "pipe" });
    const rss = watchRss(run.pid);
    const marks = new Map<string, number>();
    const tables: TableResult[] = [];
    let rest = "";
    for await (const part of run.stdout) {
      const lines = (rest + new TextDecoder().decode(part)).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const event = JSON.parse(line) as { kind: string; stage?: string } & TableResult;
        if (event.kind === "progress" && event.stage !== undefined && !marks.has(event.stage))
          marks.set(event.stage, performance.now());
        if (event.kind === "table-done") tables.push(event);
      }
    }
    const code = await run.exited;
    if (code !== 0) throw new Error(`the import ended with ${code}: ${await new Response(run.stderr).text()}`);
    const endMs = performance.now();
    const samples = rss();
    const pairBytes = tables.reduce((sum, { bytes }) => sum + Number(bytes), 0);
    const usage = run.resourceUsage();
    const cpuMs = usage === undefined ? 0 : Number(usage.cpuTime.total) / 1000;
    const at = (stage: string, otherwise: number) => marks.get(stage) ?? otherwise;
    const ingest = at("ingest", endMs);
    const verify = at("verify", endMs);
    const measures: Measure[] = [
      {
        stage: "end to end",
        bytes: sourceBytes,
        items: rows,
        ms: endMs - startedMs,
        cpuMs,
        limit: [
          { limit: "file read", bytes: sourceBytes },
          { limit: "raw file write", bytes: pairBytes },
          { limit: "file read", bytes: pairBytes },
          { limit: "socket", bytes: pairBytes * stores },
        ],
      },
      {
        stage: "encode (wall)",
        bytes: sourceBytes,
        items: rows,
        ms: ingest - at("encode", startedMs),
        cpuMs: 0,
        limit: "file read",
      },
      {
        stage: "ingest (wall)",
        bytes: pairBytes,
        ms: verify - ingest,
        cpuMs: 0,
        limit: [{ limit: "socket", bytes: pairBytes * stores }],
      },
    ];
    return {
      measures,
      hash: hashOf(tables),
      rss: samples,
      note: `import process: peak RSS ${((usage?.maxRSS ?? 0) / 2 ** 20).toFixed(0)} MiB`,
    };
  };
  return withSandbox(context.dir, measured, ["--stores", `${stores}`]);
}

const bench = (
  workload: WorkloadName,
  workers: number,
  stores: number,
  blocks: "files" | "level" = "files",
): Bench => ({
  name: `import/${workload}-${workers}w-${stores}s${blocks === "files" ? "" : `-${blocks}`}`,
  about: `levin import of ${workload}, ${workers} workers, blocks in ${blocks}, into ${stores} stores of a sandbox process`,
  slow: true,
  run: (context) => importRun(workload, workers, stores, blocks, context),
});

export const benches: Bench[] = [
  bench("lineitem", 1, 1),
  bench("lineitem", 2, 1),
  bench("lineitem", 1, 3),
  bench("lineitem", 2, 3),
  bench("lineitem", 2, 1, "level"),
  bench("sysbench", 2, 1),
  bench("wide", 2, 1),
  bench("index-heavy", 2, 1),
  bench("many-tables", 2, 1),
];
