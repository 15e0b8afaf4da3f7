import { type ColumnInfo, Flag, Tp } from "../../src/schema/mod.ts";

/** Type words of the golden casts: type code, default length and scale (as TiDB's FieldType has them), binary or not. */
const TYPES: Record<string, [tp: number, flen: number, decimal: number, charset?: string]> = {
  tinyint: [Tp.tiny, 4, 0],
  boolean: [Tp.tiny, 1, 0],
  smallint: [Tp.short, 6, 0],
  mediumint: [Tp.int24, 9, 0],
  int: [Tp.long, 11, 0],
  bigint: [Tp.longlong, 20, 0],
  float: [Tp.float, 12, -1],
  double: [Tp.double, 22, -1],
  decimal: [Tp.newdecimal, 10, 0],
  bit: [Tp.bit, 1, 0],
  char: [Tp.string, 1, 0, "utf8mb4"],
  varchar: [Tp.varchar, 0, 0, "utf8mb4"],
  tinytext: [Tp.tinyblob, 255, 0, "utf8mb4"],
  text: [Tp.blob, 65535, 0, "utf8mb4"],
  mediumtext: [Tp.mediumblob, 16777215, 0, "utf8mb4"],
  longtext: [Tp.longblob, 4294967295, 0, "utf8mb4"],
  binary: [Tp.string, 1, 0, "binary"],
  varbinary: [Tp.varchar, 0, 0, "binary"],
  tinyblob: [Tp.tinyblob, 255, 0, "binary"],
  blob: [Tp.blob, 65535, 0, "binary"],
  date: [Tp.date, 10, 0],
  datetime: [Tp.datetime, 19, 0],
  timestamp: [Tp.timestamp, 19, 0],
  time: [Tp.duration, 10, 0],
  year: [Tp.year, 4, 0],
  enum: [Tp.enum, -1, 0, "utf8mb4"],
  set: [Tp.set, -1, 0, "utf8mb4"],
  json: [Tp.json, -1, 0],
  vector: [Tp.vector, -1, -1],
};

const TEMPORAL = new Set<number>([Tp.datetime, Tp.timestamp, Tp.duration]);
const DEFAULT_COLLATION: Record<string, string> = {
  utf8mb4: "utf8mb4_bin",
  utf8: "utf8_bin",
  latin1: "latin1_bin",
  ascii: "ascii_bin",
  gbk: "gbk_chinese_ci",
  binary: "binary",
};

function parameters(text: string | undefined): string[] {
  if (text === undefined) return [];
  return [...text.matchAll(/'((?:[^']|'')*)'|[0-9]+/g)].map((m) => m[1]?.replaceAll("''", "'") ?? m[0]);
}

/** The column `c` of a golden cast's type text, as TiDB's DDL would make it. */
export function columnOf(definition: string): ColumnInfo {
  const match = /^(\w+)(?:\(((?:'(?:[^']|'')*'|[^)'])*)\))?(.*)$/.exec(definition);
  const word = match?.[1] ?? "";
  const rest = match?.[3] ?? "";
  const known = TYPES[word];
  if (match === null || known === undefined) throw new Error(`unknown type "${definition}"`);
  let [tp, flen, decimal] = known;
  const args = parameters(match[2]);
  const elems = tp === Tp.enum || tp === Tp.set ? args.map((elem) => elem.replace(/ +$/, "")) : null;
  if (elems === null && args.length > 0) {
    if (TEMPORAL.has(tp)) decimal = Number(args[0]);
    else if (tp === Tp.float && args.length === 1) tp = Number(args[0]) > 24 ? Tp.double : Tp.float;
    else flen = Number(args[0]);
    if (args.length === 2) decimal = Number(args[1]);
  }
  const charset = /character set (\w+)/.exec(rest)?.[1] ?? known[3] ?? "binary";
  const collate = /collate (\w+)/.exec(rest)?.[1] ?? DEFAULT_COLLATION[charset]!;
  const isNotNull = / not null/.test(rest);
  const fallback = / default (?:'(.*)'|(\w+))/.exec(rest);
  const name = { O: "c", L: "c" };
  return {
    id: 1,
    name,
    offset: 0,
    origin_default: null,
    origin_default_bit: null,
    default: fallback === null ? null : (fallback[1] ?? fallback[2]!),
    default_bit: null,
    default_is_expr: false,
    generated_expr_string: "",
    generated_stored: false,
    dependences: null,
    type: {
      Tp: tp,
      Flag: (/ unsigned/.test(rest) ? Flag.unsigned : 0) | (isNotNull ? Flag.notNull : 0),
      Flen: flen,
      Decimal: decimal,
      Charset: charset,
      Collate: collate,
      Elems: elems,
    },
    state: 5,
    comment: "",
    hidden: false,
    change_state_info: null,
    version: 2,
  };
}
