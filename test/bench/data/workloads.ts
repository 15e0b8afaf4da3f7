/**
 * Source data for benchmarks: dumps in mydumper's file names, made from a seed. The same seed and size give the same bytes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Random, seededRandom } from "../../../src/base/mod.ts";
import { RowWriter } from "./row-writer.ts";

export interface Workload {
  /** Directory of the dump. */
  dir: string;
  tables: WorkloadTable[];
  /** Bytes of all data files. */
  sourceBytes: number;
  rows: number;
}

export interface WorkloadTable {
  database: string;
  table: string;
  createTable: string;
  dataFile: string;
  rows: number;
}

export type WorkloadName = "lineitem" | "sysbench" | "wide" | "index-heavy" | "many-tables";

/** How one table's rows are written. */
interface TableMaker {
  database: string;
  table: string;
  columns: string[];
  /** Keys and table options behind the columns. */
  keys: string[];
  format: "csv" | "sql";
  row(out: RowWriter, n: number, draw: Draw): void;
}

/** Makes a dump of about `sizeBytes` below `dir`. CSV files have a header; quotes around text, `\N` for NULL. */
export function makeWorkload(name: WorkloadName, dir: string, sizeBytes: number, seed: number): Workload {
  mkdirSync(dir, { recursive: true });
  const workload: Workload = { dir, tables: [], sourceBytes: 0, rows: 0 };
  const makers = tablesOf(name, sizeBytes);
  makers.forEach((maker, i) => {
    writeTable(workload, maker, sizeBytes / makers.length, new Draw(seededRandom(seed + i)));
  });
  return workload;
}

function tablesOf(name: WorkloadName, sizeBytes: number): TableMaker[] {
  switch (name) {
    case "lineitem":
      return [lineitem()];
    case "sysbench":
      return [sysbench()];
    case "wide":
      return [wide()];
    case "index-heavy":
      return [indexHeavy()];
    case "many-tables":
      return Array.from({ length: smallTables(sizeBytes) }, (_, i) => smallTable(i));
  }
}

/** Tables of some 1000 bytes, but not more than the goal for many tables speaks of: larger sizes make them larger. */
function smallTables(sizeBytes: number): number {
  return Math.min(10_000, Math.max(3, Math.floor(sizeBytes / 1000)));
}

function writeTable(workload: Workload, maker: TableMaker, sizeBytes: number, draw: Draw): void {
  const { database, table, format } = maker;
  const createTable = `CREATE TABLE \`${table}\` (\n  ${[...maker.columns, ...maker.keys].join(",\n  ")}\n) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;\n`;
  if (workload.tables.length === 0) {
    writeFileSync(join(workload.dir, `${database}-schema-create.sql`), `CREATE DATABASE \`${database}\`;\n`);
  }
  writeFileSync(join(workload.dir, `${database}.${table}-schema.sql`), createTable);
  const dataFile = join(workload.dir, `${database}.${table}.000000000.${format}`);
  const out = new RowWriter(dataFile);
  if (format === "csv") out.endRow(`${maker.columns.map((column) => `"${column.split("`")[1]}"`).join(",")}\n`);
  let rows = 0;
  for (let statementEnd = 0; out.size < sizeBytes || rows === 0; rows++) {
    if (format === "sql") {
      if (out.size >= statementEnd) {
        out.text(`${rows === 0 ? "" : ";\n"}INSERT INTO \`${table}\` VALUES\n(`);
        statementEnd = out.size + STATEMENT_BYTES;
      } else out.text(",\n(");
    }
    maker.row(out, rows + 1, draw);
    out.endRow(format === "sql" ? ")" : "\n");
  }
  if (format === "sql") out.text(";\n");
  out.close();
  workload.tables.push({ database, table, createTable, dataFile, rows });
  workload.rows += rows;
  workload.sourceBytes += out.size;
}

/** Dumpling's default statement size. */
const STATEMENT_BYTES = 1_000_000;

/** What generators draw from a random source. */
class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.#random.next() * n);
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

const ascii = (text: string) => new TextEncoder().encode(text);

const words =
  "furiously quickly carefully slyly blithely express regular final pending ironic special bold even silent deposits requests accounts packages instructions foxes pinto beans theodolites sleep wake haggle nag cajole among across above according to the of never"
    .split(" ")
    .map((word) => ascii(` ${word}`));

function comment(out: RowWriter, draw: Draw, bytesMax: number): void {
  const end = out.size + draw.between(bytesMax >> 2, bytesMax - 12);
  out.bytes(ascii("the"));
  while (out.size < end) out.bytes(draw.pick(words));
}

/** Days of the years 1992 to 1998, as TPC-H has them. */
const dates = Array.from({ length: 2557 }, (_, day) =>
  ascii(new Date(Date.UTC(1992, 0, 1 + day)).toISOString().slice(0, 10)),
);

const instructions = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"].map((text) => ascii(`"${text}"`));
const modes = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"].map((text) => ascii(`"${text}"`));

/** TPC-H's lineitem (about 127 bytes a row), nonclustered primary key: two pairs a row. */
function lineitem(): TableMaker {
  let order = 0;
  let line = 0;
  let lines = 0;
  return {
    database: "tpch",
    table: "lineitem",
    format: "csv",
    columns: [
      "`L_ORDERKEY` bigint NOT NULL",
      "`L_PARTKEY` bigint NOT NULL",
      "`L_SUPPKEY` bigint NOT NULL",
      "`L_LINENUMBER` bigint NOT NULL",
      "`L_QUANTITY` decimal(15,2) NOT NULL",
      "`L_EXTENDEDPRICE` decimal(15,2) NOT NULL",
      "`L_DISCOUNT` decimal(15,2) NOT NULL",
      "`L_TAX` decimal(15,2) NOT NULL",
      "`L_RETURNFLAG` char(1) NOT NULL",
      "`L_LINESTATUS` char(1) NOT NULL",
      "`L_SHIPDATE` date NOT NULL",
      "`L_COMMITDATE` date NOT NULL",
      "`L_RECEIPTDATE` date NOT NULL",
      "`L_SHIPINSTRUCT` char(25) NOT NULL",
      "`L_SHIPMODE` char(10) NOT NULL",
      "`L_COMMENT` varchar(44) NOT NULL",
    ],
    keys: ["PRIMARY KEY (`L_ORDERKEY`,`L_LINENUMBER`) /*T![clustered_index] NONCLUSTERED */"],
    row(out, _n, draw) {
      if (line === lines) {
        // Order keys use the first 8 of every 32 numbers.
        order += order % 8 === 7 ? 25 : 1;
        lines = draw.between(1, 7);
        line = 0;
      }
      line++;
      const quantity = draw.between(1, 50);
      const ship = draw.below(dates.length - 122);
      out.int(order).text(",").int(draw.between(1, 200_000)).text(",").int(draw.between(1, 10_000)).text(",").int(line);
      out
        .text(",")
        .cents(quantity * 100)
        .text(",")
        .cents(quantity * draw.between(90_000, 200_000));
      out.text(",0.").int(draw.below(11), 2).text(",0.").int(draw.below(9), 2);
      out.text(draw.pick([',"N","O",', ',"R","F",', ',"A","F",']));
      out
        .bytes(dates[ship]!)
        .text(",")
        .bytes(dates[ship + draw.below(90)]!)
        .text(",")
        .bytes(dates[ship + draw.between(1, 30)]!);
      out.text(",").bytes(draw.pick(instructions)).text(",").bytes(draw.pick(modes)).text(',"');
      comment(out, draw, 44);
      out.text('"');
    },
  };
}

/** sysbench's oltp table as SQL: one clustered primary key, one index on a skewed integer. */
function sysbench(): TableMaker {
  return {
    database: "sbtest",
    table: "sbtest1",
    format: "sql",
    columns: [
      "`id` int NOT NULL AUTO_INCREMENT",
      "`k` int NOT NULL DEFAULT '0'",
      "`c` char(120) NOT NULL DEFAULT ''",
      "`pad` char(60) NOT NULL DEFAULT ''",
    ],
    keys: ["PRIMARY KEY (`id`)", "KEY `k_1` (`k`)"],
    row(out, n, draw) {
      out
        .int(n)
        .text(",")
        .int(draw.below(1000) * draw.below(1000))
        .text(",'");
      for (let i = 0; i < 10; i++) out.text(i === 0 ? "" : "-").int(draw.below(100_000_000_000), 11);
      out.text("','");
      for (let i = 0; i < 5; i++) out.text(i === 0 ? "" : "-").int(draw.below(100_000_000_000), 11);
      out.text("'");
    },
  };
}

/** 120 columns of six types, a tenth of the values NULL; common columns of no index. */
function wide(): TableMaker {
  const types = ["int", "bigint unsigned", "varchar(40)", "decimal(18,4)", "datetime", "double"];
  const count = 120;
  return {
    database: "bench",
    table: "wide",
    format: "csv",
    columns: [
      "`id` bigint NOT NULL",
      ...Array.from({ length: count }, (_, i) => `\`c${i}\` ${types[i % types.length]}`),
    ],
    keys: ["PRIMARY KEY (`id`)"],
    row(out, n, draw) {
      out.int(n);
      for (let i = 0; i < count; i++) {
        out.text(",");
        if (draw.below(10) === 0) out.text("\\N");
        else wideValue(out, i % types.length, draw);
      }
    },
  };
}

function wideValue(out: RowWriter, type: number, draw: Draw): void {
  switch (type) {
    case 0:
      return void out.int(draw.below(2_000_000_000));
    case 1:
      return void out.int(draw.below(2 ** 52));
    case 2:
      out.text('"');
      comment(out, draw, 40);
      return void out.text('"');
    case 3:
      return void out.int(draw.below(1_000_000_000)).text(".").int(draw.below(10_000), 4);
    case 4:
      out.text('"').bytes(draw.pick(dates)).text(" ").int(draw.below(24), 2).text(":").int(draw.below(60), 2);
      return void out.text(":").int(draw.below(60), 2).text('"');
    default:
      return void out.int(draw.below(1_000_000)).text(".").int(draw.below(1000), 3).text("e").int(draw.below(9));
  }
}

/** Eight indexes over short rows, unique, composite and on text: nine pairs a row. */
function indexHeavy(): TableMaker {
  return {
    database: "bench",
    table: "indexed",
    format: "csv",
    columns: [
      "`id` bigint NOT NULL",
      "`a` int NOT NULL",
      "`b` int DEFAULT NULL",
      "`c` varchar(32) NOT NULL",
      "`d` datetime NOT NULL",
      "`e` decimal(12,2) NOT NULL",
    ],
    keys: [
      "PRIMARY KEY (`id`) /*T![clustered_index] CLUSTERED */",
      "UNIQUE KEY `u` (`c`)",
      "KEY `a` (`a`)",
      "KEY `b` (`b`)",
      "KEY `d` (`d`)",
      "KEY `e` (`e`)",
      "KEY `ab` (`a`,`b`)",
      "KEY `cd` (`c`(8),`d`)",
      "KEY `ed` (`e`,`d`,`a`)",
    ],
    row(out, n, draw) {
      out
        .int(n * 7)
        .text(",")
        .int(draw.below(100_000))
        .text(",");
      if (draw.below(5) === 0) out.text("\\N");
      else out.int(draw.below(1000));
      out.text(',"user').int(draw.below(100_000_000), 8).text("-").int(n).text('","');
      out.bytes(draw.pick(dates)).text(" 00:00:").int(draw.below(60), 2).text('",').cents(draw.below(100_000_000));
    },
  };
}

/** One of very many tables. */
function smallTable(i: number): TableMaker {
  return {
    database: "small",
    table: `t${i}`,
    format: "csv",
    columns: ["`id` int NOT NULL", "`name` varchar(40) DEFAULT NULL", "`at` date DEFAULT NULL", "`n` int DEFAULT NULL"],
    keys: ["PRIMARY KEY (`id`)", "KEY `n` (`n`)"],
    row(out, n, draw) {
      out.int(n).text(',"');
      comment(out, draw, 40);
      out.text('",').bytes(draw.pick(dates)).text(",").int(draw.below(1000));
    },
  };
}
