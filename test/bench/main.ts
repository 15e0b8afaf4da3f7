/**
 * `npm run bench -- [regex] [--tiny] [--size MB] [--seed N] [--out DIR] [--list]`: runs the benchmarks whose names match, each in a
 * process of its own so that its peak memory is its own, and prints each stage's speed, its ratio to the machine's limit, and a hash of
 * the result. The same goes into `report.md` and `report.html` in DIR (`bench-report`).
 *
 * To add a benchmark, put it into the `benches` that a file of `benches/` exports (or add such a file); nothing else has to change.
 * Source data for it comes from `data/workloads.ts`, pairs from `data/pairs.ts`.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { allBenches, type Report, runBench, show } from "./registry.ts";
import { writeReport } from "./report.ts";

interface Options {
  pattern: RegExp;
  tiny: boolean;
  sizeBytes: number;
  seed: number;
  list: boolean;
  /** Run here and print JSON: what a child process is asked for. */
  json: boolean;
  /** Where the report goes. */
  out: string;
}

/** Size of the source or pair data when `--size` does not say: some seconds of work for each benchmark. */
const SIZE_MB = 256;
export const TINY_BYTES = 64 * 1024;

const USAGE = "usage: npm run bench -- [regex] [--tiny] [--size MB] [--seed N] [--out DIR] [--list]";
const flags = new Set(["--tiny", "--size", "--seed", "--out", "--list", "--json"]);

function parse(argv: string[]): Options | undefined {
  if (argv.some((word) => word.startsWith("-") && !flags.has(word))) return undefined;
  const textOf = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  const value = (name: string): number | undefined => {
    const text = textOf(name);
    return text === undefined ? undefined : Number(text);
  };
  const words = argv.filter((word, i) => !word.startsWith("--") && !/^--(size|seed|out)$/.test(argv[i - 1] ?? ""));
  const tiny = argv.includes("--tiny");
  return {
    pattern: new RegExp(words[0] ?? "."),
    tiny,
    sizeBytes: tiny ? TINY_BYTES : (value("--size") ?? SIZE_MB) * 1e6,
    seed: value("--seed") ?? 1,
    list: argv.includes("--list"),
    json: argv.includes("--json"),
    out: textOf("--out") ?? "bench-report",
  };
}

/** Runs one benchmark in a process of its own; undefined when it failed, which is then printed. */
function runApart(name: string, { sizeBytes, seed, tiny }: Options): Report | undefined {
  const words = [
    `^${name}$`,
    "--json",
    "--size",
    `${sizeBytes / 1e6}`,
    "--seed",
    `${seed}`,
    ...(tiny ? ["--tiny"] : []),
  ];
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (child.status === 0) return JSON.parse(child.stdout) as Report;
  console.error(`${name} FAILED\n${child.stdout}${child.stderr}`);
  return undefined;
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const chosen = (await allBenches()).filter(({ name }) => options.pattern.test(name));
  if (options.list) {
    for (const { name, about } of chosen) console.log(`${name.padEnd(32)} ${about}`);
    return 0;
  }
  if (chosen.length === 0) {
    console.error(`no benchmark matches ${options.pattern}; --list shows all`);
    return 2;
  }
  if (options.json) {
    for (const bench of chosen) console.log(JSON.stringify(await runBench(bench, options)));
    return 0;
  }
  const reports: Report[] = [];
  for (const { name } of chosen) {
    const report = runApart(name, options);
    if (report === undefined) continue;
    reports.push(report);
    console.log(show(report));
  }
  console.log(`written: ${writeReport(reports, options.out).join(", ")}`);
  return reports.length === chosen.length ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
