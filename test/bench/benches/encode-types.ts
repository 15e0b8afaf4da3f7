/** Fields of one type at a time, rows of ten columns already cut out: nanoseconds a field, with the row's share of its key. */
import { type Random, seededRandom, utf8 } from "../../../src/base/mod.ts";
import { FieldKind, type Fields, growFields, newFields, type PairSink } from "../../../src/codec/mod.ts";
import { compileTable } from "../../../src/encoder/mod.ts";
import { Catalog, DEFAULT_SQL_MODE, parseSqlMode, type TableInfo } from "../../../src/schema/mod.ts";
import { plainSession } from "../../encoder/plain-session.ts";
import {
  type Bench,
  type BenchContext,
  type BenchResult,
  better,
  type Cost,
  type Measure,
  ResultHash,
  timed,
} from "../bench.ts";

const COLUMNS = 10;
const ROUNDS = 3;
const ROWS = 512;

const int = (random: Random, limit: number): number => Math.floor(random.next() * limit);
const two = (n: number): string => String(n).padStart(2, "0");
const date = (r: Random): string => `${1970 + int(r, 60)}-${two(1 + int(r, 12))}-${two(1 + int(r, 28))}`;
const clock = (r: Random): string => `${two(int(r, 24))}:${two(int(r, 60))}:${two(int(r, 60))}`;
const letters = (r: Random, size: number): string =>
  Array.from({ length: size }, () => String.fromCharCode(97 + int(r, 26))).join("");
const micros = (r: Random): string => String(int(r, 1e6)).padStart(6, "0");

/** A value's text for each column type. */
const TYPES: Record<string, (random: Random) => string> = {
  tinyint: (r) => String(int(r, 200) - 100),
  int: (r) => String(int(r, 4e9) - 2e9),
  bigint: (r) => String(int(r, 9e15) - 4e15),
  "bigint unsigned": (r) => `1${micros(r)}${micros(r)}${micros(r)}`,
  float: (r) => (r.next() * 1000).toFixed(3),
  double: (r) => (r.next() * 1e6).toFixed(6),
  "decimal(10,2)": (r) => (r.next() * 1e6).toFixed(2),
  "decimal(30,10)": (r) => `${int(r, 1e9)}${micros(r)}.${micros(r)}`,
  year: (r) => String(1950 + int(r, 100)),
  date,
  datetime: (r) => `${date(r)} ${clock(r)}`,
  "datetime(6)": (r) => `${date(r)} ${clock(r)}.${micros(r)}`,
  timestamp: (r) => `${date(r)} ${clock(r)}`,
  "time(3)": (r) => `${clock(r)}.${micros(r).slice(3)}`,
  "char(10)": (r) => letters(r, 8),
  "varchar(40)": (r) => letters(r, 24),
  "varchar(40) character set gbk": (r) => letters(r, 24),
  "binary(16)": (r) => letters(r, 12),
  "varbinary(40)": (r) => letters(r, 24),
  text: (r) => letters(r, 200),
  "enum('a','bb','ccc')": (r) => ["a", "bb", "ccc"][int(r, 3)]!,
  "set('a','bb','ccc')": (r) => ["a", "a,bb", "bb,ccc"][int(r, 3)]!,
  "bit(8)": (r) => letters(r, 1),
  json: (r) => `{"a": ${int(r, 1000)}, "b": ["${letters(r, 5)}", null, 1.5]}`,
};

class ByteCount implements PairSink {
  bytes = 0;

  put(_key: Uint8Array, keyLength: number, _value: Uint8Array, valueLength: number): void {
    this.bytes += keyLength + valueLength;
  }
}

function tableOf(type: string): TableInfo {
  let id = 1;
  const catalog = new Catalog(() => id++);
  const session = {
    sqlMode: parseSqlMode(DEFAULT_SQL_MODE),
    timeZone: "UTC",
    database: "d",
    newCollation: true,
    clusteredIndex: "on" as const,
    nowMs: 0,
  };
  catalog.execute("CREATE DATABASE d", session);
  const columns = Array.from({ length: COLUMNS }, (_, i) => `c${i} ${type}${type === "timestamp" ? " null" : ""}`);
  return catalog.execute(`CREATE TABLE t (${columns.join(", ")})`, session).changes[0]!.after!;
}

/** Rows of one type, each with its own bytes as a scanner leaves them. */
function rowsOf(random: Random, make: (random: Random) => string): { rows: Fields[]; bytes: number } {
  let bytes = 0;
  const rows = Array.from({ length: ROWS }, () => {
    const fields = newFields(COLUMNS);
    growFields(fields, COLUMNS);
    const values = Array.from({ length: COLUMNS }, () => utf8(make(random)));
    fields.bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length + 1, 0));
    fields.count = COLUMNS;
    let at = 0;
    values.forEach((value, i) => {
      fields.bytes.set(value, at);
      fields.kind[i] = FieldKind.string;
      fields.start[i] = at;
      at += value.length;
      fields.end[i] = at++;
      bytes += value.length;
    });
    return fields;
  });
  return { rows, bytes };
}

async function measure(type: string, context: BenchContext, hash: ResultHash): Promise<Measure> {
  const { rows, bytes } = rowsOf(seededRandom(context.seed), TYPES[type]!);
  const times = context.tiny ? 1 : Math.max(1, Math.ceil(context.sizeBytes / 40 / bytes));
  let best: Cost | undefined;
  const sink = new ByteCount();
  const encoder = compileTable(tableOf(type), {
    session: {
      ...plainSession,
      sqlMode: DEFAULT_SQL_MODE,
    },
    record: sink,
    index: sink,
  });
  encoder.bindColumns(undefined);
  for (let round = 0; round < ROUNDS; round++) {
    sink.bytes = 0;
    const [cost] = await timed(() => {
      let rowId = 0;
      for (let k = 0; k < times; k++) for (const row of rows) encoder.encodeRow(row, ++rowId);
    });
    best = better(best, cost);
  }
  hash.add(type, sink.bytes);
  return { stage: type, bytes: bytes * times, items: rows.length * COLUMNS * times, limit: "memory copy", ...best! };
}

/** `int 31, date 24`: CPU nanoseconds a field. */
function nanosecondsOf(measures: readonly Measure[]): string {
  return measures.map(({ stage, cpuMs, items }) => `${stage} ${((cpuMs * 1e6) / items!).toFixed(0)}`).join(", ");
}

export const benches: Bench[] = [
  {
    name: "encode-types/all",
    about: "text to row value, ten columns of one type, one thread; items are fields",
    async run(context): Promise<BenchResult> {
      const hash = new ResultHash();
      const measures: Measure[] = [];
      for (const type of Object.keys(TYPES)) measures.push(await measure(type, context, hash));
      return { measures, hash: `${hash}`, note: `CPU ns a field: ${nanosecondsOf(measures)}` };
    },
  },
];
