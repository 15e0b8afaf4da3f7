/** Imports of rows in each other's way whose process, and at times the sandbox's, is killed with -9; what is left must be what statements would leave. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { dumpOf, type Row, repeatedKeys, type SampleTable, sampleTables, shown, survivors } from "./conflict-oracle.ts";
import { connect, run, type SandboxAddresses, targetFlags } from "./harness.ts";
import { killed, startSandbox } from "./kill.ts";

export interface ConflictForm {
  strategy: "replace" | "ignore" | "error";
  backend: "local" | "tidb";
  /** The tables have rows that are in the way of the source's. */
  filled: boolean;
}

export const conflictForms: readonly ConflictForm[] = (["replace", "ignore", "error"] as const).flatMap((strategy) =>
  (["local", "tidb"] as const).flatMap((backend) => [false, true].map((filled) => ({ strategy, backend, filled }))),
);

/** What a process was at when it was killed, by what its journal held. */
const PHASES = ["begin", "encode", "resolve", "clear", "ingest", "end"] as const;
export type Phase = (typeof PHASES)[number];

export interface ConflictKills {
  kills: Record<Phase, number>;
  sandboxKills: number;
  rows: number;
  differences: string[];
}

export const noKills = (): ConflictKills => ({
  kills: { begin: 0, encode: 0, resolve: 0, clear: 0, ingest: 0, end: 0 },
  sandboxKills: 0,
  rows: 0,
  differences: [],
});

/**
 * When to kill: so many milliseconds after the process was started, after it has begun to work at the tables, after the report of a batch was
 * written, or after the journal has got a record.
 */
export interface KillMoment {
  at: "start" | "work" | "report" | "flushed" | "encoded" | "conflicts" | "cleared" | "range" | "ingested";
  afterMs: number;
}

interface Sources {
  tables: SampleTable[];
  before: SampleTable[];
}

function makeSources(seed: number, rows: number): Sources {
  const tables = sampleTables(seed, rows);
  const before = sampleTables(seed + 1_000_000, Math.ceil(rows / 2)).map((table) => ({
    ...table,
    files: [survivors(table, "ignore").rows],
  }));
  return { tables, before };
}

function writeDump(dir: string, tables: readonly SampleTable[]): string {
  fs.mkdirSync(dir, { recursive: true });
  for (const [name, text] of dumpOf(tables)) fs.writeFileSync(join(dir, name), text);
  return dir;
}

function configOf({ strategy, filled }: ConflictForm, chunkBytes: number): string {
  return `[conflict]
strategy = "${strategy}"
[mydumper]
max-region-size = ${chunkBytes}
[mydumper.csv]
separator = "|"
delimiter = ""
header = false
[tikv-importer]
incremental-import = ${filled}
`;
}

/** The journal's payloads are text; its records' heads are not, and do not matter here. */
class State {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  get #journal(): string {
    const path = join(this.dir, "journal");
    return fs.existsSync(path) ? fs.readFileSync(path, "latin1") : "";
  }

  #reportMs(): number {
    const path = join(this.dir, "reports", "conflicts", "0.ndjson");
    return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  /** What has come already, comes no more. */
  has(at: KillMoment["at"]): boolean {
    return this.#journal.includes(`"type":"${at}"`);
  }

  /** Says when something has come that was not there when it was called. */
  comes(at: KillMoment["at"]): () => boolean {
    const count = (): number => (at === "report" ? this.#reportMs() : this.#journal.split(`"type":"${at}"`).length);
    const before = count();
    return () => count() > before;
  }

  phase({ backend, filled }: ConflictForm): Phase {
    const journal = this.#journal;
    const has = (type: string): boolean => journal.includes(`"type":"${type}"`);
    if (!has("batch")) return "begin";
    if (has("ingested")) return "end";
    if (backend === "tidb") return has("conflicts") ? "ingest" : "resolve";
    if (!has("encoded")) return "encode";
    if (!has("conflicts")) return "resolve";
    return filled && !has("cleared") ? "clear" : "ingest";
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs the command until the moment; says whether it was killed there, or how it ended before. */
async function killAt(
  levin: string,
  args: string[],
  state: State,
  { at, afterMs }: KillMoment,
): Promise<number | "killed"> {
  const comes = state.comes(at);
  const child = spawn(levin, [...args, "--json"], {
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
  });
  let works = false;
  child.stdout.on("data", (part) => {
    works ||= String(part).includes('"kind":"table-start"');
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const isReached = (): boolean => at === "start" || (at === "work" ? works : comes());
  while (isRunning() && !isReached()) await pause(1);
  const endMs = performance.now() + afterMs;
  while (isRunning() && performance.now() < endMs) await pause(1);
  await killed(child);
  return child.exitCode ?? "killed";
}

interface KillPlan {
  moments: Iterable<KillMoment>;
  rows: number;
  chunkBytes: number;
  /** Of the sandbox, after each kill of the import. */
  sandboxKillChance: number;
}

/** Any moments, most of them while something is done. */
export function* randomMoments(
  { backend, filled }: ConflictForm,
  random: Random,
  count: number,
): Generator<KillMoment> {
  const kinds: KillMoment["at"][] = ["start", "work", "work", "work", "report", "conflicts"];
  if (backend === "local") kinds.push("encoded", "range");
  if (backend === "local" && filled) kinds.push("cleared");
  for (let i = 0; i < count; i++) {
    const at = kinds[Math.floor(random.next() * kinds.length)]!;
    const spread = at === "start" ? 600 : at === "work" ? 250 : 40;
    yield { at, afterMs: Math.floor(random.next() ** 2 * spread) };
  }
}

/** One import that is killed at each of the moments that it comes to, and then runs to its end. */
export async function killConflictImport(
  levin: string,
  dir: string,
  form: ConflictForm,
  seed: number,
  plan: KillPlan,
): Promise<ConflictKills> {
  const random = seededRandom(seed);
  const report = noKills();
  const sources = makeSources(seed, plan.rows);
  const dump = writeDump(join(dir, "dump"), sources.tables);
  const config = join(dir, "levin.toml");
  let sandbox = await startSandbox(levin, join(dir, "cluster"), undefined, 1);
  const title = `seed ${seed}, ${form.strategy}, ${form.backend}, ${form.filled ? "with rows" : "empty"}`;
  try {
    if (form.filled) await fill(levin, dir, sandbox, sources.before);
    fs.writeFileSync(config, configOf(form, plan.chunkBytes));
    const state = new State(join(dir, "state"));
    const args = ["import", dump, "-c", config, ...targetFlags(sandbox), `--state-dir=${state.dir}`];
    args.push(`--backend=${form.backend}`, "--workers=2", "--memory=128MiB", "--ingest-threads=1");
    for (const moment of plan.moments) {
      const ended = await killAt(levin, args, state, moment);
      if (ended === 0) break;
      if (ended === "killed") report.kills[state.phase(form)]++;
      if (random.next() < plan.sandboxKillChance) {
        await killed(sandbox.child);
        report.sandboxKills++;
        sandbox = await startSandbox(levin, join(dir, "cluster"), sandbox, 1);
      }
    }
    const ended = await run(levin, args);
    const wanted = form.strategy === "error" ? 4 : 0;
    if (ended.code === wanted) report.differences.push(...(await differencesOf(sandbox, form, sources, state, report)));
    else report.differences.push(`exit code ${ended.code}: ${ended.err.slice(-600)}`);
  } finally {
    await killed(sandbox.child);
  }
  report.differences = report.differences.map((text) => `${title}: ${text}`);
  return report;
}

async function fill(
  levin: string,
  dir: string,
  sandbox: SandboxAddresses,
  tables: readonly SampleTable[],
): Promise<void> {
  const dump = writeDump(join(dir, "before"), tables);
  const config = join(dir, "before.toml");
  fs.writeFileSync(config, configOf({ strategy: "error", backend: "local", filled: false }, 1 << 20));
  const words = ["import", dump, "-c", config, ...targetFlags(sandbox), `--state-dir=${join(dir, "before-state")}`];
  const { code, err } = await run(levin, words);
  if (code !== 0) throw new Error(`the rows of before are not in: ${err}`);
}

async function differencesOf(
  sandbox: SandboxAddresses,
  form: ConflictForm,
  { tables, before }: Sources,
  state: State,
  report: ConflictKills,
): Promise<string[]> {
  const out: string[] = [];
  const path = join(state.dir, "reports", "conflicts.ndjson");
  const lines = fs.existsSync(path)
    ? fs
        .readFileSync(path, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as ReportLine)
    : [];
  const sql = await connect(sandbox);
  const query = async (text: string): Promise<string[]> => {
    const [rows] = (await sql.query(text)) as unknown as [(string | null)[][]];
    return rows.map((row) => row.map((value) => value ?? "NULL").join("|")).sort();
  };
  try {
    for (const [i, table] of tables.entries()) {
      const old = form.filled ? before[i]!.files[0]! : [];
      const found = await query(`SELECT * FROM c.${table.name}`);
      report.rows += found.length;
      const wrong =
        form.strategy === "error" ? wrongAfterError(form, table, old, found) : wrongRows(form, table, old, found);
      if (wrong !== undefined) out.push(`${table.name}: ${wrong}`);
      const mine = lines.filter((line) => line.table === `c.${table.name}`);
      const missing = wrongReport(form, table, old, mine);
      if (missing !== undefined) out.push(`${table.name}: ${missing}`);
      // A record and an entry in each index, for every row.
      const [sum] = await query(`ADMIN CHECKSUM TABLE c.${table.name}`);
      const kvs = Number(sum!.split("|")[3]);
      const pairs = found.length * PAIRS_OF_ROW[table.name]!;
      if (kvs !== pairs) out.push(`${table.name}: ${kvs} pairs for ${found.length} rows, not ${pairs}`);
    }
  } finally {
    await sql.end();
  }
  return out;
}

const PAIRS_OF_ROW: Readonly<Record<string, number>> = {
  clustered: 3,
  texts: 3,
  keyless: 2,
};

interface ReportLine {
  table: string;
  dropped: { file: string; row: number } | null;
  kept: { file: string; row: number } | null;
}

function wrongRows(
  { strategy }: ConflictForm,
  table: SampleTable,
  old: readonly Row[],
  found: readonly string[],
): string | undefined {
  const wanted = shown(survivors(table, strategy as "replace" | "ignore", old).rows);
  if (wanted.length === found.length && wanted.every((row, i) => row === found[i])) return undefined;
  const more = found.filter((row) => !wanted.includes(row));
  const less = wanted.filter((row) => !found.includes(row));
  return `${found.length} rows of ${wanted.length}; more: ${more.slice(0, 3).join("; ")}; less: ${less.slice(0, 3).join("; ")}`;
}

/** Nothing is imported; but statements that come before the one that meets a row of the target are in. */
function wrongAfterError(
  { backend, filled }: ConflictForm,
  table: SampleTable,
  old: readonly Row[],
  found: readonly string[],
): string | undefined {
  const left = [...found];
  for (const row of shown(old)) {
    const at = left.indexOf(row);
    if (at < 0) return `the row ${row} of before is gone`;
    left.splice(at, 1);
  }
  if (backend === "tidb" && filled) {
    const source = shown(table.files.flat());
    for (const row of left) {
      const at = source.indexOf(row);
      if (at < 0) return `the row ${row} is nobody's, or is there more often than in the source`;
      source.splice(at, 1);
    }
    return undefined;
  }
  return left.length === 0 ? undefined : `${left.length} rows were imported, ${left[0]} for one`;
}

/**
 * Each row of the source that is not there in the end has one line, and each row of before that is gone has one; with "error", each key
 * that a row has again.
 */
function wrongReport(
  { strategy, backend, filled }: ConflictForm,
  table: SampleTable,
  old: readonly Row[],
  lines: readonly ReportLine[],
): string | undefined {
  const statements = backend === "tidb" && filled;
  // Statements that meet an error end there.
  if (strategy === "error" && statements) return undefined;
  if (strategy === "error") {
    const wanted = repeatedKeys(table, old);
    return lines.length === wanted ? undefined : `the report has ${lines.length} lines, not ${wanted}`;
  }
  const places = lines.flatMap(({ dropped }) => (dropped === null ? [] : [`${dropped.file} ${dropped.row}`]));
  if (new Set(places).size !== places.length) return "the report names a row twice";
  const { rows, dropped } = survivors(table, strategy === "replace" ? "replace" : "ignore", old);
  // What a statement replaces is not known, only that it has replaced something.
  const wanted = strategy === "replace" && statements ? replacing(table, old) : dropped;
  if (lines.length !== wanted) return `the report has ${lines.length} lines, not ${wanted} (${rows.length} rows stay)`;
  return undefined;
}

/** Rows that take the place of others, as REPLACE after REPLACE would tell. */
function replacing(table: SampleTable, old: readonly Row[]): number {
  let count = 0;
  let rows = [...old];
  for (const row of table.files.flat()) {
    const next = survivors({ ...table, files: [[row]] }, "replace", rows);
    if (next.dropped > 0) count++;
    rows = next.rows;
  }
  return count;
}
