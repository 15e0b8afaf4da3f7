/**
 * Which partition a row goes to (TiDB `pkg/table/tables/partition.go`). Bounds are computed and cast once; a row costs one
 * evaluation and a binary search or a look into a map.
 */
import { compareBytes, LevinError, utf8 } from "../../base/mod.ts";
import {
  ByteWriter,
  type Collation,
  columnForm,
  crc32,
  type Datum,
  encodeKeyDatum,
  findCollation,
  rawCollation,
} from "../../codec/mod.ts";
import {
  type ColumnInfo,
  type PartitionDefinition,
  type PartitionInfo,
  PartitionType,
  parseSqlMode,
} from "../../schema/mod.ts";
import { bitBytes, byteString, castDatum, sourceText } from "../cast/mod.ts";
import { toInt } from "./cast.ts";
import { collationOf, sortKey } from "./collate.ts";
import { compileText } from "./compile-text.ts";
import type { ExprContext } from "./context.ts";
import { columnValue } from "./datum.ts";
import { isStringType } from "./field-types.ts";
import type { Eval, Row } from "./value.ts";

/** Index into the definitions; undefined where none takes the row, with the value that the error quotes. */
type Locate = (row: Row) => number;

const ANSI = parseSqlMode("");
const ZERO = Uint8Array.of(0);

export function partitionLocator(ctx: ExprContext, partition: PartitionInfo): Locate {
  const columns = partition.columns ?? [];
  ctx.what = "it is partitioned";
  switch (partition.type) {
    case PartitionType.hash:
      return hash(ctx, partition);
    case PartitionType.key:
      return key(ctx, partition);
    case PartitionType.range:
      return columns.length > 0 ? rangeColumns(ctx, partition) : range(ctx, partition);
    case PartitionType.list:
      return columns.length > 0 ? listColumns(ctx, partition) : list(ctx, partition);
    default:
      throw ctx.unsupported(`the partition type ${partition.type}`);
  }
}

function noPartition(ctx: ExprContext, value: string): LevinError {
  const table = ctx.table.name.O;
  const message = `Cannot store row in table "${table}": Table has no partition for value ${value} (MySQL error 1526)`;
  return new LevinError("Levin:Encode:ErrNoPartition", message, { fields: { table, mysqlCode: 1526 } });
}

function expressionOf(ctx: ExprContext, partition: PartitionInfo): Eval<bigint> {
  return toInt(ctx, compileText(ctx, partition.expr, ANSI, `it is partitioned by ${partition.expr}`)).eval;
}

/** |value rem n| of the value as a signed number; NULL counts as 0. */
function hash(ctx: ExprContext, partition: PartitionInfo): Locate {
  const value = expressionOf(ctx, partition);
  const count = BigInt(partition.num);
  return (row) => {
    const v = value(row);
    if (v === null) return 0;
    const rest = Number(BigInt.asIntN(64, v) % count);
    return rest < 0 ? -rest : rest;
  };
}

/** Columns by name; without names those of the primary key. */
function keyColumns(ctx: ExprContext, partition: PartitionInfo): ColumnInfo[] {
  const { cols, index_info } = ctx.table;
  const names = (partition.columns ?? []).map((name) => name.L);
  if (names.length > 0) return names.map((name) => columnNamed(ctx, name));
  const primary = index_info?.find((index) => index.is_primary);
  if (primary !== undefined) return primary.idx_cols.map((part) => cols[part.offset]!);
  const handle = cols.find((column) => (column.type.Flag & 2) !== 0);
  if (handle === undefined) throw ctx.unsupported("the key");
  return [handle];
}

function columnNamed(ctx: ExprContext, name: string): ColumnInfo {
  const column = ctx.table.cols.find((c) => c.name.L === name);
  if (column === undefined) throw ctx.unsupported(`the column "${name}"`);
  return column;
}

function keyText(d: Datum, { type }: ColumnInfo): Uint8Array {
  if (d.kind === "bytes") return d.value;
  return d.kind === "bit" ? bitBytes(d.value, type.Flen) : utf8(sourceText(d, type));
}

/** CRC-32 over the columns' texts as their collations see them. */
function key(ctx: ExprContext, partition: PartitionInfo): Locate {
  const columns = keyColumns(ctx, partition);
  const textCollation: Collation = ctx.session.newCollations ? findCollation("utf8mb4_bin")! : rawCollation;
  const collations = columns.map(({ type }) =>
    isStringType(type.Tp) ? collationOf(ctx, type.Charset === "binary" ? "binary" : type.Collate) : textCollation,
  );
  return (row) => {
    let sum = 0;
    columns.forEach((column, i) => {
      const d = row[column.offset]!;
      if (d.kind === "null") sum = crc32(ZERO, 0, 1, sum);
      else {
        const text = keyText(d, column);
        const bytes = sortKey(collations[i]!, text);
        sum = crc32(bytes, 0, bytes.length, sum);
      }
    });
    return (sum >>> 0) % partition.num;
  };
}

/** First index in [0, count) where `test` holds, which holds for all that follow; `count` if there is none. */
function bisect(count: number, test: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

const isMaxValue = (text: string): boolean => text.toUpperCase() === "MAXVALUE";
const isDefault = (text: string): boolean => text.toUpperCase() === "DEFAULT";

/** A bound as a number; null for NULL. */
function intBound(ctx: ExprContext, text: string): bigint | null {
  return toInt(ctx, compileText(ctx, text, ANSI, `a partition has the bound ${text}`)).eval([]);
}

function range(ctx: ExprContext, partition: PartitionInfo): Locate {
  const value = expressionOf(ctx, partition);
  const bounds = partition.definitions.map(({ less_than }) => {
    const text = less_than![0]!;
    return isMaxValue(text) ? null : intBound(ctx, text);
  });
  return (row) => {
    const v = value(row);
    if (v === null) return 0;
    const at = bisect(bounds.length, (i) => {
      const bound = bounds[i]!;
      return bound === null || v < bound;
    });
    if (at === bounds.length) throw noPartition(ctx, String(v));
    return at;
  };
}

/** Columns whose values are compared by their keys. */
class KeyColumns {
  readonly columns: readonly ColumnInfo[];
  private readonly ctx: ExprContext;
  private readonly encoders: ((d: Datum) => Uint8Array)[];

  constructor(ctx: ExprContext, partition: PartitionInfo) {
    this.ctx = ctx;
    this.columns = partition.columns!.map((name) => columnNamed(ctx, name.L));
    this.encoders = this.columns.map((column) => {
      const form = columnForm(column.type, ctx.session.newCollations, ctx.session.zone);
      if (form === undefined) throw ctx.unsupported(`the type of column "${column.name.O}"`);
      const out = new ByteWriter();
      return (d) => {
        out.clear();
        encodeKeyDatum(out, d, form);
        return out.bytes.subarray(0, out.length);
      };
    });
  }

  /** Valid until the same column's next key is made. */
  keyOf(row: Row, i: number): Uint8Array {
    return this.encoders[i]!(row[this.columns[i]!.offset]!);
  }

  /** Key of a bound, cast to the column's type. */
  boundKey(text: string, i: number): Uint8Array {
    const column = this.columns[i]!;
    const node = compileText(this.ctx, text, ANSI, `a partition has the bound ${text}`);
    const source = columnValue(node, column.type)([]);
    const value = castDatum(this.ctx.session, source, column.type, column.name.O, node.type);
    return this.encoders[i]!(value).slice();
  }
}

function rangeColumns(ctx: ExprContext, partition: PartitionInfo): Locate {
  const keys = new KeyColumns(ctx, partition);
  const bounds = partition.definitions.map(({ less_than }) =>
    less_than!.map((text, i) => (isMaxValue(text) ? null : keys.boundKey(text, i))),
  );
  const count = keys.columns.length;
  const own: Uint8Array[] = [];
  const isBelow = (bound: readonly (Uint8Array | null)[]): boolean => {
    for (let i = 0; i < count; i++) {
      const limit = bound[i]!;
      if (limit === null) return true;
      const order = compareBytes(own[i]!, limit);
      if (order !== 0) return order < 0;
    }
    return false;
  };
  return (row) => {
    for (let i = 0; i < count; i++) own[i] = keys.keyOf(row, i);
    const at = bisect(bounds.length, (i) => isBelow(bounds[i]!));
    if (at === bounds.length) throw noPartition(ctx, "from column_list");
    return at;
  };
}

/** Calls `add` for every tuple of values; the index of the DEFAULT partition, -1 if there is none. */
function eachValue(
  definitions: readonly PartitionDefinition[],
  add: (values: readonly string[], partition: number) => void,
): number {
  let fallback = -1;
  definitions.forEach(({ in_values }, i) => {
    for (const values of in_values ?? []) {
      if (values.length === 1 && isDefault(values[0]!)) fallback = i;
      else add(values, i);
    }
    if ((in_values ?? []).length === 0) fallback = i;
  });
  return fallback;
}

function list(ctx: ExprContext, partition: PartitionInfo): Locate {
  const value = expressionOf(ctx, partition);
  const partitions = new Map<bigint | null, number>();
  const fallback = eachValue(partition.definitions, ([text], i) => partitions.set(intBound(ctx, text!), i));
  return (row) => {
    const v = value(row);
    const at = partitions.get(v) ?? fallback;
    if (at < 0) throw noPartition(ctx, v === null ? "NULL" : String(v));
    return at;
  };
}

function listColumns(ctx: ExprContext, partition: PartitionInfo): Locate {
  const keys = new KeyColumns(ctx, partition);
  const count = keys.columns.length;
  const joined = (keyOf: (i: number) => Uint8Array): string => {
    let text = "";
    for (let i = 0; i < count; i++) {
      const bytes = keyOf(i);
      text += `${bytes.length}:${byteString(bytes)}`;
    }
    return text;
  };
  const partitions = new Map<string, number>();
  const fallback = eachValue(partition.definitions, (values, at) =>
    partitions.set(
      joined((i) => keys.boundKey(values[i]!, i)),
      at,
    ),
  );
  return (row) => {
    const at = partitions.get(joined((i) => keys.keyOf(row, i))) ?? fallback;
    if (at < 0) throw noPartition(ctx, "from column_list");
    return at;
  };
}
