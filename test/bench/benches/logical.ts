/** The logical backend beside the servers' own clients on the same data in the same run. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mariadbMissing, withMariadb } from "../../interop/mariadb.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, mbPerSecond, ResultHash } from "../bench.ts";
import { makeWorkload } from "../data/workloads.ts";
import { levin, spawned, withSandbox } from "../spawned.ts";

const hasClient = ["/usr/bin/mariadb", "/usr/local/bin/mariadb"].some((path) => existsSync(path));
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

const DUMP = "mariadb < dump.sql";
const LOAD = "LOAD DATA LOCAL";

/** How fast levin's best stage is beside each of the server's own ways. */
function ratios(measures: readonly Measure[]): string {
  const best = (of: (stage: string) => boolean): number =>
    Math.max(...measures.filter(({ stage }) => of(stage)).map(mbPerSecond));
  const levins = best((stage) => stage.startsWith("levin"));
  return [DUMP, LOAD]
    .filter((way) => measures.some(({ stage }) => stage === way))
    .map((way) => `levin's best is ${(levins / best((stage) => stage === way)).toFixed(2)} of ${way}`)
    .join(", ");
}

const headerLines = (csv: string): number => (/^"?l_/i.test(readFileSync(csv, "utf8").slice(0, 10)) ? 1 : 0);

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
    const fresh = async (): Promise<void> => {
      await tidb.query(`DROP DATABASE IF EXISTS ${database}`);
      await tidb.query(`CREATE DATABASE ${database}`);
      await tidb.session(async (query) => {
        await query(`USE ${database}`);
        await query(schema.replace(/;\s*$/, ""));
      });
    };
    const target = ["--backend=tidb", "--tidb-host=127.0.0.1", `--tidb-port=${port}`, "--sql-mode=STRICT_TRANS_TABLES"];
    const importWith = (workers: number): string[] => {
      const state = `--state-dir=${join(context.dir, `state${workers}`)}`;
      return levin("import", source, ...target, state, `--workers=${workers}`);
    };
    const load = `LOAD DATA LOCAL INFILE '${csv}' INTO TABLE ${table} FIELDS TERMINATED BY ',' ENCLOSED BY '"' IGNORE ${headerLines(csv)} LINES`;
    const ways: [stage: string, words: string[], stdin?: string][] = [
      ["levin, 1 worker", importWith(1)],
      ["levin, 2 workers", importWith(2)],
      ["levin, 4 workers", importWith(4)],
      [DUMP, client, dump],
      [LOAD, [...client, "-e", load]],
    ];
    for (const [stage, words, stdin] of context.tiny ? ways.slice(2) : ways) {
      await fresh();
      const cost = await spawned(words, stdin);
      const [count] = (
        await tidb.query(`SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', l_orderkey, l_comment))) FROM ${database}.${table}`)
      ).rows;
      if (Number(count![0]) !== rows) throw new Error(`${stage}: ${count![0]} rows of ${rows}`);
      if (measures.length === 0) hash.add(...(count as string[]));
      const limit = stage === LOAD ? "file read" : ({ stage: stage === DUMP ? LOAD : DUMP } as const);
      measures.push({ stage, bytes: sourceBytes, items: rows, ...cost, limit });
    }
  });
  return {
    measures,
    hash: hash.toString(),
    note: `CPU is the client's; all ways give the same rows; ${ratios(measures)}`,
  };
}

async function intoSandbox(context: BenchContext): Promise<BenchResult> {
  const source = join(context.dir, "source");
  // The sandbox keeps rows to be looked at, not by the million.
  const size = Math.min(context.sizeBytes, 5e6);
  const { sourceBytes, rows } = makeWorkload("lineitem", source, size, context.seed);
  const csv = firstCsv(source);
  const [database, table] = csv.split("/").at(-1)!.split(".") as [string, string];
  const measures: Measure[] = [];
  await withSandbox(context.dir, async (target, port) => {
    const state = `--state-dir=${join(context.dir, "state")}`;
    const cost = await spawned(levin("import", source, "--backend=tidb", ...target, state));
    const limit = hasClient ? { stage: DUMP } : "file read";
    measures.push({ stage: "levin", bytes: sourceBytes, items: rows, ...cost, limit });
    if (!hasClient) return;
    const dump = join(context.dir, "dump.sql");
    const schema = schemaOf(source).replace(/;\s*$/, "");
    // The sandbox has no LOAD DATA.
    writeFileSync(dump, `CREATE DATABASE b;\nUSE b;\n${schema};\n${dumpOf(csv, table)}`);
    const client = ["mariadb", "--no-defaults", "-h127.0.0.1", `-P${port}`, "-uroot", "--skip-ssl", database];
    measures.push({
      stage: DUMP,
      bytes: sourceBytes,
      items: rows,
      ...(await spawned(client, dump)),
      limit: "file read",
    });
  });
  return { measures, hash: new ResultHash().add(rows).toString(), note: ratios(measures) };
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
];
