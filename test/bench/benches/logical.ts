/**
 * The logical backend beside the servers' own clients on the same data in the same run, and what rows in each other's way cost the physical
 * backend.
 */
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mariadbMissing, withMariadb } from "../../interop/mariadb.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash } from "../bench.ts";
import { makeWorkload } from "../data/workloads.ts";

const main = new URL("../../../src/main.ts", import.meta.url).pathname;

interface Run {
  ms: number;
  cpuMs: number;
}

/** A process to its end; its wall and CPU time. */
async function spawned(words: string[], stdin?: string): Promise<Run> {
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

const firstCsv = (dir: string): string => join(dir, readdirSync(dir).find((name) => name.endsWith(".csv"))!);
const schemaOf = (dir: string): string =>
  readFileSync(join(dir, readdirSync(dir).find((name) => /-schema\.sql$/.test(name))!), "utf8");

/** The rows of a CSV file as mysqldump writes them: statements of about a megabyte. */
function dumpOf(csv: string, table: string): string {
  const out: string[] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const line of readFileSync(csv, "utf8").split("\n")) {
    if (line === "" || /^"?l_/i.test(line)) continue;
    const row = `(${line.replaceAll('"', "'").replace(/\d{4}-\d\d-\d\d/g, "'$&'")})`;
    if (size > 1_000_000) {
      out.push(`${out.length === 0 ? "" : ";\n"}INSERT INTO ${table} VALUES ${row}`);
      size = 0;
    } else out.push(`,${row}`);
    size += row.length;
  }
  return `${out.join("")};\n`;
}

async function intoMariadb(context: BenchContext): Promise<BenchResult> {
  const source = join(context.dir, "source");
  const { sourceBytes, rows } = makeWorkload("lineitem", source, context.sizeBytes, context.seed);
  const schema = schemaOf(source);
  const csv = firstCsv(source);
  const [database, table] = csv.split("/").at(-1)!.split(".") as [string, string];
  const dump = join(context.dir, "dump.sql");
  writeFileSync(dump, dumpOf(csv, table));
  const measures: Measure[] = [];
  const hash = new ResultHash();
  await withMariadb(async (tidb, port) => {
    const client = ["mariadb", "--no-defaults", "-h127.0.0.1", `-P${port}`, "-uroot", "--local-infile=1", database];
    const header = readFileSync(csv, "utf8").slice(0, 200).toLowerCase().replace('"', "").startsWith("l_") ? 1 : 0;
    const fresh = async (): Promise<void> => {
      await tidb.query(`DROP DATABASE IF EXISTS ${database}`);
      await tidb.query(`CREATE DATABASE ${database}`);
      await tidb.session(async (query) => {
        await query(`USE ${database}`);
        await query(schema.replace(/;\s*$/, ""));
      });
    };
    const levin = (...flags: string[]): string[] => [
      ...[process.execPath, main, "import", source, "--backend=tidb", "--tidb-host=127.0.0.1", `--tidb-port=${port}`],
      ...["--sql-mode=STRICT_TRANS_TABLES", `--state-dir=${join(context.dir, `state${flags.join()}`)}`, ...flags],
    ];
    const load = `LOAD DATA LOCAL INFILE '${csv}' INTO TABLE ${table} FIELDS TERMINATED BY ',' ENCLOSED BY '"' IGNORE ${header} LINES`;
    const ways: [stage: string, words: string[], stdin?: string][] = [
      ["levin, 1 worker", levin("--workers=1")],
      ["levin, 2 workers", levin("--workers=2")],
      ["levin, 4 workers", levin("--workers=4")],
      ["mariadb < dump.sql", client, dump],
      ["LOAD DATA LOCAL", [...client, "-e", load]],
    ];
    await fresh();
    for (const [stage, words, stdin] of context.tiny ? ways.slice(2) : ways) {
      await fresh();
      const cost = await spawned(words, stdin);
      const [count] = (
        await tidb.query(`SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', l_orderkey, l_comment))) FROM ${database}.${table}`)
      ).rows;
      if (Number(count![0]) !== rows) throw new Error(`${stage}: ${count![0]} rows of ${rows}`);
      if (measures.length === 0) hash.add(...(count as string[]));
      measures.push({ stage, bytes: sourceBytes, items: rows, ...cost, limit: "file read" });
    }
  });
  return { measures, hash: hash.toString(), note: "CPU is the client's; all ways give the same rows" };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream) {
    text += new TextDecoder().decode(part);
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}

/** Gives the flags that lead into a sandbox of its own process. */
async function withSandbox(dir: string, use: (target: string[]) => Promise<void>): Promise<void> {
  const sandbox = Bun.spawn([process.execPath, main, "sandbox", "--dir", join(dir, "cluster"), "--json"], {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const { tidb, status, pd } = JSON.parse(await firstLine(sandbox.stdout)) as {
      tidb: { host: string; port: number };
      status: { port: number };
      pd: string[];
    };
    await use([
      `--tidb-host=${tidb.host}`,
      `--tidb-port=${tidb.port}`,
      `--tidb-status=${status.port}`,
      `--pd-urls=${pd.join(",")}`,
    ]);
  } finally {
    sandbox.kill("SIGTERM");
    await sandbox.exited;
  }
}

async function intoSandbox(context: BenchContext): Promise<BenchResult> {
  const source = join(context.dir, "source");
  // The sandbox keeps rows to be looked at, not by the million.
  const size = Math.min(context.sizeBytes, 5e6);
  const { sourceBytes, rows } = makeWorkload("lineitem", source, size, context.seed);
  const measures: Measure[] = [];
  await withSandbox(context.dir, async (target) => {
    const state = `--state-dir=${join(context.dir, "state")}`;
    const cost = await spawned([process.execPath, main, "import", source, "--backend=tidb", ...target, state]);
    measures.push({ stage: "levin", bytes: sourceBytes, items: rows, ...cost, limit: "file read" });
  });
  return { measures, hash: new ResultHash().add(rows).toString() };
}

/** Rows of which about `share` have the primary or the unique key of an earlier one. */
function withDuplicates(dir: string, sizeBytes: number, share: number): { bytes: number; rows: number } {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "d-schema-create.sql"), "CREATE DATABASE d;\n");
  writeFileSync(
    join(dir, "d.t-schema.sql"),
    "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, u BIGINT, k INT, c VARCHAR(120), UNIQUE KEY uu (u), KEY kk (k));\n",
  );
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  const lines: string[] = [];
  let bytes = 0;
  for (let row = 0; bytes < sizeBytes; row++) {
    const earlier = (): number => Math.floor(random() * row);
    const collides = row > 0 && random() < share;
    const id = collides && random() < 0.5 ? earlier() : row;
    const u = collides && id === row ? earlier() : row;
    const line = `${id},${u},${row % 1000},"${"x".repeat(80)}${row}"\n`;
    bytes += line.length;
    lines.push(line);
  }
  const half = lines.length >> 1;
  writeFileSync(join(dir, "d.t.1.csv"), lines.slice(0, half).join(""));
  writeFileSync(join(dir, "d.t.2.csv"), lines.slice(half).join(""));
  return { bytes, rows: lines.length };
}

async function conflicts(context: BenchContext): Promise<BenchResult> {
  const measures: Measure[] = [];
  const hash = new ResultHash();
  const cases: [stage: string, share: number, strategy: string][] = [
    ["none looked for", 0, ""],
    ["replace, 0 %", 0, "replace"],
    ["replace, 1 %", 0.01, "replace"],
    ["replace, 50 %", 0.5, "replace"],
    ["ignore, 50 %", 0.5, "ignore"],
  ];
  for (const [stage, share, strategy] of context.tiny ? cases.slice(3) : cases) {
    const dir = join(context.dir, `case-${measures.length}`);
    const { bytes, rows } = withDuplicates(join(dir, "source"), context.sizeBytes, share);
    const toml = join(dir, "levin.toml");
    writeFileSync(
      toml,
      `[mydumper.csv]\nheader = false\n[conflict]\nstrategy = "${strategy}"\nthreshold = 100000000\nmax-record-rows = 100\n`,
    );
    await withSandbox(dir, async (target) => {
      const state = `--state-dir=${join(dir, "state")}`;
      const words = [
        process.execPath,
        main,
        "import",
        join(dir, "source"),
        "-c",
        toml,
        "--workers=2",
        ...target,
        state,
      ];
      measures.push({ stage, bytes, items: rows, ...(await spawned(words)), limit: "file read" });
    });
    hash.add(rows);
  }
  return { measures, hash: hash.toString(), note: "every table's checksum was compared" };
}

const mariadb: Bench = {
  name: "logical/mariadb",
  about: "lineitem into a private MariaDB by statements, beside the server's own client",
  slow: true,
  run: intoMariadb,
};

if (mariadbMissing)
  console.error("no benchmark logical/mariadb: mariadb-server is missing (test/interop/setup.sh installs it)");

export const benches: Bench[] = [
  ...(mariadbMissing ? [] : [mariadb]),
  {
    name: "logical/sandbox",
    about: "lineitem into a sandbox's SQL front by statements",
    slow: true,
    run: intoSandbox,
  },
  {
    name: "conflict/physical",
    about: "whole imports of rows of which some have the key of an earlier one",
    slow: true,
    run: conflicts,
  },
];
