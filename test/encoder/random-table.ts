/** Random tables and rows, plain and odd values mixed, for tests that compare two ways of doing the same. */
import { type Random, utf8 } from "../../src/base/mod.ts";
import { type Datum, FieldKind } from "../../src/codec/mod.ts";
import type { TableExpressions } from "../../src/encoder/mod.ts";
import { type ColumnInfo, Flag, type IndexInfo, type PartitionInfo, type TableInfo, Tp } from "../../src/schema/mod.ts";

interface Kind {
  tp: number;
  flag?: number;
  flen: number;
  decimal?: number;
  charset?: string;
  collate?: string;
  elems?: string[];
  /** May stand in a key. */
  key?: boolean;
  /** Needs a prefix length in a key. */
  prefix?: boolean;
}

const COLLATIONS = [
  "utf8mb4_bin",
  "utf8mb4_general_ci",
  "utf8mb4_unicode_ci",
  "utf8mb4_0900_ai_ci",
  "utf8mb4_0900_bin",
  "utf8_bin",
  "latin1_bin",
  "ascii_bin",
  "gbk_chinese_ci",
  "gbk_bin",
];

function text(tp: number, flen: number, collate: string): Kind {
  return { tp, flen, charset: collate.split("_")[0]!, collate, key: true, prefix: tp === Tp.blob };
}

function kinds(random: Random): Kind {
  const collate = pick(random, COLLATIONS);
  const fsp = below(random, 7);
  const precision = 1 + below(random, 65);
  const scale = Math.min(precision, below(random, 31));
  const unsigned = random.next() < 0.4 ? Flag.unsigned : 0;
  return pick(random, [
    { tp: Tp.tiny, flag: unsigned, flen: 4, key: true },
    { tp: Tp.short, flag: unsigned, flen: 6, key: true },
    { tp: Tp.int24, flag: unsigned, flen: 9, key: true },
    { tp: Tp.long, flag: unsigned, flen: 11, key: true },
    { tp: Tp.longlong, flag: unsigned, flen: 20, key: true },
    { tp: Tp.longlong, flag: unsigned, flen: 20, key: true },
    { tp: Tp.newdecimal, flag: unsigned, flen: precision, decimal: scale, key: true },
    { tp: Tp.newdecimal, flag: 0, flen: 15, decimal: 2, key: true },
    { tp: Tp.float, flag: unsigned, flen: 12, decimal: -1, key: true },
    { tp: Tp.double, flag: unsigned, flen: 22, decimal: -1, key: true },
    { tp: Tp.double, flag: 0, flen: 10, decimal: 3, key: true },
    { tp: Tp.date, flen: 10, key: true },
    { tp: Tp.datetime, flen: 26, decimal: fsp, key: true },
    { tp: Tp.timestamp, flen: 26, decimal: fsp, key: true },
    { tp: Tp.duration, flen: 17, decimal: fsp, key: true },
    { tp: Tp.year, flag: Flag.unsigned, flen: 4, key: true },
    { tp: Tp.bit, flag: Flag.unsigned, flen: 10, key: true },
    { tp: Tp.json, flen: -1 },
    { tp: Tp.enum, flen: 5, charset: "utf8mb4", collate: "utf8mb4_bin", elems: ["a", "bb", "", "Ünï"], key: true },
    { tp: Tp.set, flen: 5, charset: "utf8mb4", collate: "utf8mb4_general_ci", elems: ["a", "bb", "c", "ß"], key: true },
    text(Tp.varchar, 12, collate),
    text(Tp.varchar, 300, collate),
    text(Tp.string, 10, collate),
    text(Tp.blob, 65535, collate),
    text(Tp.varchar, 20, "binary"),
    text(Tp.string, 4, "binary"),
    text(Tp.blob, 65535, "binary"),
  ]);
}

export function below(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)]!;
}

function column(random: Random, kind: Kind, offset: number, id: number): ColumnInfo {
  const notNull = random.next() < 0.4;
  const name = `c${offset}`;
  const charset = kind.charset ?? "binary";
  return {
    id,
    name: { O: name, L: name },
    offset,
    origin_default: null,
    origin_default_bit: null,
    default: !notNull && random.next() < 0.2 && kind.charset === undefined && kind.tp < Tp.null ? "1" : null,
    default_bit: null,
    default_is_expr: false,
    generated_expr_string: "",
    generated_stored: false,
    dependences: null,
    type: {
      Tp: kind.tp,
      Flag: (kind.flag ?? 0) | (notNull ? Flag.notNull : 0),
      Flen: kind.flen,
      Decimal: kind.decimal ?? 0,
      Charset:
        charset === "latin1" || charset === "ascii" || charset === "gbk" || charset === "utf8" ? charset : charset,
      Collate: kind.collate ?? "binary",
      Elems: kind.elems ?? null,
    },
    state: 5,
    comment: "",
    hidden: false,
    change_state_info: null,
    version: 2,
  };
}

/**
 * A table with random columns, a random kind of handle and random indexes. "Expressions" are names of columns: a generated column
 * repeats another one, the partition is chosen by one, a partial index wants one that is not NULL (`copyExpressions`).
 */
export function randomTable(random: Random): TableInfo {
  const count = 1 + below(random, 8);
  const chosen = Array.from({ length: count }, () => kinds(random));
  const copies = random.next() < 0.3 ? chosen.slice(0, 1 + below(random, 3)) : [];
  chosen.push(...copies);
  const ids = chosen.map((_, i) => i + 1);
  if (random.next() < 0.1) ids[ids.length - 1] = 300;
  if (random.next() < 0.1) ids.reverse();
  const cols = chosen.map((kind, i) => column(random, kind, i, ids[i]!));
  copies.forEach((_, i) => {
    const generated = cols[count + i]!;
    generated.generated_expr_string = `c${i}`;
    generated.generated_stored = random.next() < 0.5;
  });
  const keyable = chosen.map((kind, i) => ({ kind, i })).filter((k) => k.kind.key);
  const parts = (): { name: { O: string; L: string }; offset: number; length: number }[] => {
    const some = keyable.filter(() => random.next() < 0.5).slice(0, 3);
    return some.map(({ kind, i }) => ({
      name: cols[i]!.name,
      offset: i,
      length:
        kind.prefix || (kind.charset !== undefined && !kind.elems && random.next() < 0.3) ? 1 + below(random, 6) : -1,
    }));
  };
  const partitioned = random.next() < 0.25;
  const index = (id: number, primary: boolean, unique: boolean): IndexInfo => ({
    id,
    idx_name: { O: primary ? "PRIMARY" : `i${id}`, L: primary ? "primary" : `i${id}` },
    tbl_name: { O: "", L: "" },
    idx_cols: parts(),
    state: 5,
    comment: "",
    index_type: 1,
    is_unique: unique,
    is_primary: primary,
    is_invisible: false,
    is_global: !primary && partitioned && random.next() < 0.5,
    partial_condition_expr_string: !primary && random.next() < 0.15 ? `c${below(random, count)}` : "",
  });
  const indexes = Array.from({ length: below(random, 4) }, (_, i) => index(i + 2, false, random.next() < 0.5));
  const info = tableInfo(
    cols,
    indexes.filter((i) => i.idx_cols.length > 0),
  );
  if (partitioned) info.partition = partitions(`c${below(random, count)}`);
  const handle = random.next();
  if (handle < 0.35) {
    const primary = index(1, true, true);
    if (primary.idx_cols.length > 0) {
      info.is_common_handle = true;
      info.common_handle_version = random.next() < 0.8 ? 1 : 0;
      info.index_info = [primary, ...info.index_info!];
      for (const part of primary.idx_cols) cols[part.offset]!.type.Flag |= Flag.priKey | Flag.notNull;
    }
  } else if (handle < 0.6) {
    const at = chosen.findIndex((kind) => kind.tp <= Tp.long || kind.tp === Tp.longlong);
    if (at >= 0 && chosen[at]!.tp !== Tp.float && chosen[at]!.tp !== Tp.double) {
      info.pk_is_handle = true;
      cols[at]!.type.Flag |= Flag.priKey | Flag.notNull;
      if (cols[at]!.generated_expr_string !== "") return info;
      if (random.next() < 0.5) cols[at]!.type.Flag |= Flag.autoIncrement;
      else if (chosen[at]!.tp === Tp.longlong) {
        info.auto_random_bits = 5;
        info.auto_random_range_bits = random.next() < 0.5 ? 0 : 32 + below(random, 32);
      }
    }
  } else if (random.next() < 0.3) info.ShardRowIDBits = 1 + below(random, 15);
  return info;
}

function partitions(expr: string): PartitionInfo {
  const definition = (id: number): PartitionInfo["definitions"][number] => ({
    id,
    name: { O: `p${id}`, L: `p${id}` },
    less_than: null,
    in_values: null,
  });
  return {
    type: 2,
    expr,
    columns: null,
    enable: true,
    is_empty_columns: false,
    definitions: [definition(101), definition(2 ** 33 + 5), definition(103)],
    adding_definitions: null,
    dropping_definitions: null,
    num: 3,
    ddl_state: 0,
  };
}

/** The evaluators of these tables. */
export function copyExpressions(): TableExpressions {
  const offset = (name: string): number => Number(name.slice(1));
  const text = (d: Datum): string => JSON.stringify(d, (_, v) => (typeof v === "bigint" ? String(v) : v));
  return {
    generated: (_, info) => (row) => row[offset(info.generated_expr_string)]!,
    partition: (table) => (row) => {
      const size = text(row[offset(table.partition!.expr)]!).length % 4;
      return size === 3 ? undefined : size;
    },
    condition: (_, index) => (row) => row[offset(index.partial_condition_expr_string!)]!.kind !== "null",
  };
}

function tableInfo(cols: ColumnInfo[], indexes: IndexInfo[]): TableInfo {
  return {
    id: 77,
    name: { O: "t", L: "t" },
    charset: "utf8mb4",
    collate: "utf8mb4_bin",
    cols,
    index_info: indexes,
    state: 5,
    pk_is_handle: false,
    is_common_handle: false,
    common_handle_version: 0,
    comment: "",
    auto_inc_id: 0,
    auto_id_cache: 0,
    auto_rand_id: 0,
    max_col_id: 0,
    max_idx_id: 0,
    update_timestamp: 0,
    ShardRowIDBits: 0,
    max_shard_row_id_bits: 0,
    auto_random_bits: 0,
    auto_random_range_bits: 0,
    pre_split_regions: 0,
    partition: null,
    compression: "",
    view: null,
    sequence: null,
    version: 5,
  };
}

const digits = (random: Random, size: number): string =>
  Array.from({ length: size }, () => String(below(random, 10))).join("");

const two = (value: number): string => String(value).padStart(2, "0");

const PIECES = ["a", "B", " ", "z9", "é", "中", "😀", "ß", "\u0000", "  ", "x".repeat(40), "y".repeat(120)];
const ODD = [
  "",
  " ",
  "-",
  ".",
  "-.5",
  "+1",
  "1e3",
  "0x10",
  "abc",
  "-0",
  "-0.00",
  "00012",
  "1.",
  ".5",
  "99999999999999999999",
];
const ODD_TIMES = [
  "0000-00-00",
  "2020-02-30",
  "2020-1-2",
  "20200102",
  "2024-02-29 24:00:00",
  "10:11:12",
  "-838:59:59.5",
];

/** Text that often suits the column and sometimes does not. */
export function randomText(random: Random, info: ColumnInfo): Uint8Array {
  const { Tp: tp, Decimal: decimal, Flag: flag } = info.type;
  if (random.next() < 0.06) return utf8(pick(random, [...ODD, ...ODD_TIMES]));
  if (random.next() < 0.01) return Uint8Array.of(0x61, 0xff, 0xc3, 0x28);
  const sign = (flag & Flag.unsigned) === 0 && random.next() < 0.4 ? "-" : "";
  const date = `${1000 + below(random, 9000)}-${two(1 + below(random, 12))}-${two(1 + below(random, 29))}`;
  const clock = `${two(below(random, 24))}:${two(below(random, 60))}:${two(below(random, 60))}`;
  const size = below(random, 8);
  const fraction = size === 0 ? "" : `.${digits(random, size)}`;
  switch (tp) {
    case Tp.tiny:
      return utf8(sign + digits(random, 1 + below(random, 3)));
    case Tp.short:
    case Tp.int24:
    case Tp.long:
    case Tp.longlong:
      return utf8(sign + digits(random, 1 + below(random, tp === Tp.longlong ? 20 : 10)));
    case Tp.newdecimal:
    case Tp.float:
    case Tp.double: {
      const whole = digits(random, below(random, 14));
      if (tp !== Tp.newdecimal && random.next() < 0.3) {
        return utf8(
          `${sign}${whole}.${digits(random, below(random, 12))}e${pick(random, ["", "-", "+"])}${below(random, 330)}`,
        );
      }
      return utf8(sign + (random.next() < 0.7 ? `${whole}.${digits(random, below(random, decimal + 3))}` : whole));
    }
    case Tp.date:
      return utf8(random.next() < 0.9 ? date : `${date} ${clock}`);
    case Tp.datetime:
      return utf8(random.next() < 0.9 ? `${date} ${clock}${fraction}` : date);
    case Tp.timestamp:
      return utf8(`${1965 + below(random, 80)}${date.slice(4)} ${clock}${fraction}`);
    case Tp.duration:
      return utf8(`${sign}${two(below(random, 900))}${clock.slice(2)}${fraction}`);
    case Tp.year:
      return utf8(String(1890 + below(random, 280)));
    case Tp.json:
      return utf8(
        pick(random, [
          '{"b":[1,2.5],"a":null}',
          "[]",
          "12",
          '"x"',
          "{",
          "true",
          `["${"j".repeat(below(random, 2000))}"]`,
        ]),
      );
    case Tp.bit:
      return Uint8Array.from({ length: 1 + below(random, 3) }, (_, i) =>
        i === 0 ? below(random, 4) : below(random, 256),
      );
    case Tp.enum:
      return utf8(pick(random, ["a", "bb", "", "Ünï", "A", "1", "a ", "zz"]));
    case Tp.set:
      return utf8(pick(random, ["a", "a,bb", "c,ß,a", "", "A", "SS", "a,,bb", "7"]));
    default:
      return utf8(Array.from({ length: below(random, 5) }, () => pick(random, PIECES)).join(""));
  }
}

const KINDS = [FieldKind.null, FieldKind.int, FieldKind.uint, FieldKind.decimal, FieldKind.float, FieldKind.hex];
const MORE_KINDS = [FieldKind.bit, FieldKind.binary, FieldKind.true, FieldKind.false, FieldKind.default];

/** One field for a column: mostly text, sometimes NULL or another kind. */
export function randomField(random: Random, info: ColumnInfo): { kind: number; bytes: Uint8Array } {
  const roll = random.next();
  if (roll < 0.85) return { kind: FieldKind.string, bytes: randomText(random, info) };
  if (roll < 0.93) return { kind: FieldKind.null, bytes: new Uint8Array(0) };
  const kind = pick(random, [...KINDS, ...MORE_KINDS]);
  switch (kind) {
    case FieldKind.int:
      return { kind, bytes: utf8(`-${digits(random, 1 + below(random, 19))}`) };
    case FieldKind.uint:
      return { kind, bytes: utf8(digits(random, 1 + below(random, 20))) };
    case FieldKind.decimal:
      return { kind, bytes: utf8(`${digits(random, 3)}.${digits(random, 2)}`) };
    case FieldKind.float:
      return { kind, bytes: utf8(`${digits(random, 2)}e${below(random, 5)}`) };
    case FieldKind.hex:
    case FieldKind.bit:
      return { kind, bytes: Uint8Array.of(...(random.next() < 0.5 ? [0] : []), below(random, 256)) };
    case FieldKind.binary:
      return { kind, bytes: randomText(random, info) };
    default:
      return { kind, bytes: new Uint8Array(0) };
  }
}
