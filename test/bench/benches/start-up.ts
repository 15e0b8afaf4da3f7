/** What a command of the executable costs before it does anything, beside an empty program that Bun compiled. */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, type BenchContext, type BenchResult, type Cost, type Measure, ResultHash } from "../bench.ts";
import { emptyProgram, START_BYTES, startCost } from "../limits.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

const commands = [["version"], ["help"], ["help", "import"], ["status", "--help"]];

/** Of many starts, as one is over in no time. */
const STARTS = 15;

/** The executable as the sources now are; a tiny run is content with the one that the gate has built. */
function executable({ dir, tiny }: BenchContext): string {
  const built = join(root, "dist/levin");
  if (tiny && existsSync(built)) return built;
  const outfile = join(dir, "levin");
  const { status, stderr } = spawnSync(process.execPath, [join(root, "build.ts"), "--outfile", outfile]);
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
  return outfile;
}

const shown = ({ cpuMs }: Cost): string => `${cpuMs.toFixed(0)}`;

async function startUp(context: BenchContext): Promise<BenchResult> {
  const levin = executable(context);
  const starts = context.tiny ? 1 : STARTS;
  const empty = await startCost([emptyProgram(context.dir)], starts);
  const hash = new ResultHash();
  const measures: Measure[] = [];
  const costs: string[] = [];
  for (const words of commands) {
    const cost = await startCost([levin, ...words], starts);
    measures.push({ stage: words.join(" "), bytes: START_BYTES, ...cost, limit: "empty program" });
    costs.push(`${words.join(" ")} ${shown(cost)}`);
    hash.add(words.join(" "));
  }
  const size = `executable ${(statSync(levin).size / 1e6).toFixed(0)} MB`;
  return { measures, hash: `${hash}`, note: `CPU ms: empty program ${shown(empty)}, ${costs.join(", ")}; ${size}` };
}

export const benches: Bench[] = [
  {
    name: "start-up/commands",
    about: "the executable from start to end; a start counts as a megabyte, so MB/s are starts a second",
    slow: true,
    run: startUp,
  },
];
