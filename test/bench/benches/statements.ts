/** How the rows of the logical backend may go to a server: as the text of one INSERT, or as parameters of a prepared one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { textOf } from "../../../src/base/mod.ts";
import { FieldKind, newFields } from "../../../src/codec/mod.ts";
import { InsertBuilder } from "../../../src/logical/insert-builder.ts";
import { CsvScanner, defaultCsvDialect, Scan, Window } from "../../../src/source/mod.ts";
import { openSqlLink, type Tidb } from "../../../src/tidb/mod.ts";
import { mariadbMissing, withMariadb } from "../../interop/mariadb.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash, timed } from "../bench.ts";
import { makeWorkload } from "../data/workloads.ts";

const COLUMNS = 16;
/** A statement may have so many. */
const PARAMETERS_MAX = 65_535;
/** One row a statement is so slow that a part of the rows will do. */
const SINGLE_ROWS_MAX = 20_000;
const COMMIT_ROWS = 1000;

type Value = string | null;

/** The rows of a CSV file, as the backend reads them: from bytes, without a string a field. */
function scannerOf(csv: Uint8Array) {
  const dialect = { ...defaultCsvDialect, header: false };
  const scanner = new CsvScanner({ file: "", dialect, atFileStart: true });
  const window = new Window(csv.length);
  window.append(csv);
  window.final = true;
  const fields = newFields(COLUMNS);
  return { fields, next: () => scanner.next(window, fields) === Scan.row };
}

async function asText(port: number, csv: Uint8Array, batchBytes: number): Promise<number> {
  const link = await openSqlLink({
    host: "127.0.0.1",
    port,
    user: "root",
    password: "",
    connectTimeoutMs: 5_000,
    connectionsMax: 1,
  });
  const { fields, next } = scannerOf(csv);
  const slots = Array.from({ length: COLUMNS }, (_, field) => ({
    name: "",
    field,
    text: undefined,
    binary: false,
    number: undefined,
  }));
  const builder = new InsertBuilder(batchBytes);
  const begin = (): void => builder.begin("INTO b.lineitem VALUES", false);
  let rows = 0;
  const flush = async (): Promise<void> => {
    await link.run(builder.statement("INSERT"));
    await link.run("COMMIT");
    rows += builder.rows;
    begin();
  };
  try {
    await link.run("SET autocommit = 0");
    begin();
    while (next()) {
      builder.add(fields, slots);
      if (builder.sizeBytes >= batchBytes) await flush();
    }
    if (builder.rows > 0) await flush();
    return rows;
  } finally {
    link.destroy();
  }
}

async function asParameters(port: number, csv: Uint8Array, rowsOfStatement: number, rowsMax: number): Promise<number> {
  const connection = await mysql.createConnection({ host: "127.0.0.1", port, user: "root" });
  const { fields, next } = scannerOf(csv);
  const marks = `(${Array(COLUMNS).fill("?").join(",")})`;
  const sqlOf = (count: number): string => `INSERT INTO b.lineitem VALUES ${Array(count).fill(marks).join(",")}`;
  const full = sqlOf(rowsOfStatement);
  let values: Value[] = [];
  let [rows, uncommitted] = [0, 0];
  const flush = async (): Promise<void> => {
    const count = values.length / COLUMNS;
    await connection.execute(count === rowsOfStatement ? full : sqlOf(count), values);
    rows += count;
    uncommitted += count;
    if (uncommitted >= COMMIT_ROWS) {
      await connection.query("COMMIT");
      uncommitted = 0;
    }
    values = [];
  };
  try {
    await connection.query("SET autocommit = 0");
    while (rows < rowsMax && next()) {
      for (let k = 0; k < COLUMNS; k++)
        values.push(
          fields.kind[k] === FieldKind.null ? null : textOf(fields.bytes.subarray(fields.start[k]!, fields.end[k]!)),
        );
      if (values.length === rowsOfStatement * COLUMNS) await flush();
    }
    if (values.length > 0) await flush();
    await connection.query("COMMIT");
    return rows;
  } finally {
    connection.destroy();
  }
}

/** All ways into one server, each into an empty table; the CPU time is the client's. */
export async function compareWays(
  { dir, sizeBytes, seed, tiny }: BenchContext,
  tidb: Tidb,
  port: number,
): Promise<BenchResult> {
  const source = join(dir, "source");
  const { rows } = makeWorkload("lineitem", source, sizeBytes, seed);
  const names = readdirSync(source);
  const create = readFileSync(join(source, names.find((name) => /lineitem-schema\.sql$/.test(name))!), "utf8");
  const whole = new Uint8Array(readFileSync(join(source, names.find((name) => name.endsWith(".csv"))!)));
  const csv = /^"?l_/i.test(textOf(whole.subarray(0, 3))) ? whole.subarray(whole.indexOf(10) + 1) : whole;
  const many = Math.floor(PARAMETERS_MAX / COLUMNS);
  const ways: [stage: string, run: () => Promise<number>][] = [
    ["text, statements of 1 MiB", () => asText(port, csv, 1 << 20)],
    ["text, statements of 96 KiB", () => asText(port, csv, 96 << 10)],
    [`prepared, ${many} rows`, () => asParameters(port, csv, many, rows)],
    ["prepared, 500 rows", () => asParameters(port, csv, 500, rows)],
    ["prepared, 1 row", () => asParameters(port, csv, 1, Math.min(rows, SINGLE_ROWS_MAX))],
  ];
  const measures: Measure[] = [];
  const hash = new ResultHash();
  for (const [stage, run] of tiny ? ways.slice(1, 3) : ways) {
    await tidb.query("DROP DATABASE IF EXISTS b");
    await tidb.query("CREATE DATABASE b");
    await tidb.session(async (query) => {
      await query("USE b");
      await query(create.replace(/;\s*$/, ""));
    });
    const [cost, sent] = await timed(run);
    const [count] = (
      await tidb.query("SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', l_orderkey, l_comment))) FROM b.lineitem")
    ).rows;
    if (Number(count![0]) !== sent) throw new Error(`${stage}: ${count![0]} rows of ${sent}`);
    if (measures.length === 0) hash.add(...(count as string[]));
    measures.push({ stage, bytes: Math.round((csv.length * sent) / rows), items: sent, ...cost, limit: "file read" });
  }
  return { measures, hash: hash.toString(), note: "CPU is the client's" };
}

export const benches: Bench[] = mariadbMissing
  ? []
  : [
      {
        name: "logical/statements",
        about: "lineitem into a private MariaDB: text against prepared statements, one connection",
        slow: true,
        run: (context) => withMariadb((tidb, port) => compareWays(context, tidb, port)),
      },
    ];
