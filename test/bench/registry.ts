import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type BenchContext, type Measure, mbPerSecond, peakRssBytes, type RssSample } from "./bench.ts";
import { limitOf } from "./limits.ts";

export interface Report {
  name: string;
  about: string;
  /** `limit` in words, `limitSpeed` in MB of the measure's bytes a second. */
  measures: (Omit<Measure, "limit"> & { speed: number; limit: string; limitSpeed: number })[];
  hash: string;
  note: string | undefined;
  peakRssBytes: number;
  rss: RssSample[] | undefined;
}

/** What every file of `benches/` exports as `benches`. */
export async function allBenches(): Promise<Bench[]> {
  const dir = new URL("./benches/", import.meta.url);
  const files = readdirSync(dir)
    .filter((name) => name.endsWith(".ts"))
    .sort();
  const modules = await Promise.all(
    files.map((name) => import(new URL(name, dir).href) as Promise<{ benches: Bench[] }>),
  );
  return modules.flatMap(({ benches }) => benches);
}

export async function runBench(bench: Bench, options: Omit<BenchContext, "dir">): Promise<Report> {
  const dir = await mkdtemp(join(tmpdir(), "levin-bench-"));
  try {
    const { measures, hash, note, rss } = await bench.run({ ...options, dir });
    const peak = peakRssBytes();
    const measured: Report["measures"] = [];
    for (const measure of measures) {
      const { limit, limitSpeed } = await slowest(measure, measures, dir, options.tiny);
      measured.push({ ...measure, speed: mbPerSecond(measure), limit, limitSpeed });
    }
    return { name: bench.name, about: bench.about, measures: measured, hash, note, peakRssBytes: peak, rss };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What bounds a measure, as a speed of its own bytes. */
async function slowest({ limit, bytes }: Measure, all: readonly Measure[], dir: string, tiny: boolean) {
  if (typeof limit === "object" && "stage" in limit) {
    const other = all.find(({ stage }) => stage === limit.stage);
    if (other === undefined) throw new Error(`no stage ${limit.stage}`);
    return { limit: limit.stage, limitSpeed: mbPerSecond(other) };
  }
  if (typeof limit === "string") return { limit: limit as string, limitSpeed: await limitOf(limit, dir, tiny) };
  let found = { limit: "nothing", limitSpeed: Number.POSITIVE_INFINITY };
  for (const part of limit) {
    const limitSpeed = (await limitOf(part.limit, dir, tiny)) * (bytes / part.bytes);
    if (limitSpeed < found.limitSpeed) found = { limit: `the slowest part, ${part.limit}`, limitSpeed };
  }
  return found;
}

/** The report for people: a line a stage. */
export function show(report: Report): string {
  const lines = [`${report.name}  (${report.about})`];
  for (const { stage, speed, bytes, items, ms, cpuMs, limit, limitSpeed } of report.measures) {
    const rate = items === undefined ? "" : `${(items / ms / 1000).toFixed(2)} M/s`;
    lines.push(
      [
        `  ${stage.padEnd(18)}`,
        `${speed.toFixed(0).padStart(6)} MB/s`,
        rate.padStart(10),
        `${(cpuMs / (bytes / 1e6)).toFixed(2)} CPU s/GB`.padStart(15),
        `  ${(speed / limitSpeed).toFixed(2)} of ${limit} (${limitSpeed.toFixed(0)} MB/s)`,
      ].join(" "),
    );
  }
  lines.push(
    `  peak RSS ${(report.peakRssBytes / 2 ** 20).toFixed(0)} MiB, result ${report.hash}${report.note === undefined ? "" : `, ${report.note}`}`,
  );
  return lines.join("\n");
}
