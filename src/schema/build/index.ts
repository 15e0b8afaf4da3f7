import type { IndexOptions, KeyPart } from "../ddl/ast.ts";
import { ddlError } from "../sql/sql-error.ts";
import { isStrict } from "../sql/sql-mode.ts";
import {
  type ColumnInfo,
  Flag,
  type IndexColumn,
  type IndexInfo,
  SchemaState,
  type TableInfo,
  Tp,
} from "../table-info.ts";
import { charsetMaxLength } from "./charset.ts";
import { ciStr, sameName } from "./column.ts";
import { isBlobType, isStringType } from "./field-type.ts";
import type { DdlSession } from "./session.ts";

/** `max-index-length` of TiDB's configuration. */
const MAX_INDEX_LENGTH = 3072;

/** Bytes of types whose size does not depend on a length (`pkg/parser/mysql/type.go`, DefaultLengthOfMysqlTypes). */
const SIZES: Record<number, number> = {
  [Tp.year]: 1,
  [Tp.date]: 3,
  [Tp.duration]: 3,
  [Tp.datetime]: 8,
  [Tp.timestamp]: 4,
  [Tp.tiny]: 1,
  [Tp.short]: 2,
  [Tp.int24]: 3,
  [Tp.long]: 4,
  [Tp.longlong]: 8,
  [Tp.float]: 4,
  [Tp.double]: 8,
};

const INDEX_TYPES = { btree: 1, hash: 2, rtree: 3, hypo: 4 } as const;

export interface IndexShape {
  name: string;
  primary: boolean;
  unique: boolean;
  parts: readonly KeyPart[];
  options: IndexOptions;
}

/** Column by name; hidden ones too. */
export function findColumn(table: TableInfo, name: string): ColumnInfo | undefined {
  return table.cols.find((column) => sameName(column.name, name));
}

export function findIndex(table: TableInfo, name: string): IndexInfo | undefined {
  return table.index_info?.find((index) => sameName(index.idx_name, name));
}

/**
 * An index over columns of the table; expressions must have become hidden columns before. Takes the next index id, but does not
 * add the index to the table. Throws TiDB's errors (1072, 1170, 1089, 1071 …).
 */
export function buildIndex(table: TableInfo, shape: IndexShape, session: DdlSession): IndexInfo {
  const { name, primary, unique, parts, options } = shape;
  if ([...name].length > 64) throw ddlError(1059, `Identifier name '${name}' is too long`);
  if (options.comment !== undefined && [...options.comment].length > 1024) {
    throw ddlError(1688, `Comment for index '${name}' is too long (max = 1024)`);
  }
  if (parts.length > 16) throw ddlError(1070, "Too many key parts specified; max 16 parts allowed");
  const seen = new Set<string>();
  const columns: IndexColumn[] = [];
  let total = 0;
  let multiValued = false;
  for (const part of parts) {
    const column = findColumn(table, part.column ?? "");
    if (!column) throw ddlError(1072, `Key column '${part.column}' doesn't exist in table`, { at: part.at });
    if (seen.has(column.name.L)) throw ddlError(1060, `Duplicate column name '${part.column}'`);
    seen.add(column.name.L);
    checkIndexColumn(column, part);
    if (column.type.Array) {
      if (multiValued)
        throw ddlError(
          1235,
          "This version of TiDB doesn't yet support 'more than one multi-valued key part per index'",
        );
      multiValued = true;
    }
    const length = prefixLength(column, part);
    total += keyLength(column, length);
    columns.push({ name: { ...column.name }, offset: column.offset, length });
  }
  if (total > MAX_INDEX_LENGTH && isStrict(session.sqlMode)) {
    throw ddlError(1071, `Specified key was too long (${total} bytes); max key length is ${MAX_INDEX_LENGTH} bytes`);
  }
  table.max_idx_id++;
  return {
    id: table.max_idx_id,
    idx_name: ciStr(name),
    tbl_name: { O: "", L: "" },
    idx_cols: columns,
    state: SchemaState.public,
    backfill_state: 0,
    comment: options.comment ?? "",
    index_type: INDEX_TYPES[options.using ?? "btree"],
    is_unique: unique,
    is_primary: primary,
    is_invisible: options.invisible ?? false,
    is_global: options.global ?? false,
    mv_index: multiValued,
    vector_index: null,
  };
}

/** A prefix as long as the column is none. */
function prefixLength(column: ColumnInfo, part: KeyPart): number {
  const { Tp: tp, Flen: flen } = column.type;
  if (part.length === undefined) return -1;
  return (tp === Tp.string || tp === Tp.varchar) && part.length === flen ? -1 : part.length;
}

function checkIndexColumn(column: ColumnInfo, part: KeyPart): void {
  const { Tp: tp, Flen: flen } = column.type;
  const name = column.name.O;
  const isChar = tp === Tp.string || tp === Tp.varchar;
  if (tp === Tp.null || (flen === 0 && (isChar || tp === Tp.varstring))) {
    throw ddlError(1167, `The used storage engine can't index column '${name}'`);
  }
  if (tp === Tp.json && !column.type.Array) {
    if (column.hidden)
      throw ddlError(3753, "Cannot create a functional index on an expression that returns a JSON or GEOMETRY value");
    throw ddlError(3152, `JSON column '${name}' cannot be used in key specification.`);
  }
  if (tp === Tp.vector) throw ddlError(8200, "only VECTOR INDEX can be added to vector column");
  if (isBlobType(tp) && part.length === undefined) {
    if (column.hidden)
      throw ddlError(
        3754,
        "Cannot create a functional index on an expression that returns a BLOB or TEXT. Please consider using CAST",
      );
    throw ddlError(1170, `BLOB/TEXT column '${name}' used in key specification without a key length`);
  }
  if (part.length === undefined) return;
  if (part.length === 0 && isStringType(tp)) throw ddlError(1391, `Key part '${name}' length cannot be 0`);
  if (!isStringType(tp) || (isChar && flen < part.length)) {
    throw ddlError(
      1089,
      "Incorrect prefix key; the used key part isn't a string, the used length is longer than the key part, or the storage engine doesn't support unique prefix keys",
    );
  }
}

/** Bytes that a column needs in a key. */
function keyLength(column: ColumnInfo, prefix: number): number {
  const { Tp: tp, Flen: flen, Charset: charset } = column.type;
  const length = prefix === -1 ? flen : prefix;
  if (tp === Tp.bit) return (length + 7) >> 3;
  if (isStringType(tp)) return charsetMaxLength(charset) * Math.max(0, length);
  if (tp === Tp.newdecimal) return Math.floor(length / 9) * 4 + Math.floor(((length % 9) + 1) / 2);
  return SIZES[tp] ?? Math.max(0, length);
}

/** Flags of the first column of an index (`setColumnFlagWithConstraint`, `AddIndexColumnFlag`). */
export function setIndexFlag(column: ColumnInfo | undefined, unique: boolean, parts: number): void {
  if (column) column.type.Flag |= unique && parts === 1 ? Flag.uniqueKey : Flag.multipleKey;
}

/** Takes the flags of a dropped index off its first column, unless another index keeps them. */
export function dropIndexFlags(table: TableInfo, index: IndexInfo): void {
  const first = table.cols[index.idx_cols[0]!.offset];
  if (!first) return;
  if (index.is_primary) {
    for (const part of index.idx_cols) table.cols[part.offset]!.type.Flag &= ~Flag.priKey;
  } else if (index.is_unique && index.idx_cols.length === 1) first.type.Flag &= ~Flag.uniqueKey;
  else first.type.Flag &= ~Flag.multipleKey;
  for (const other of table.index_info ?? []) {
    if (other === index || other.idx_cols[0]!.offset !== first.offset) continue;
    setIndexFlag(first, other.is_unique && !other.is_primary, other.idx_cols.length);
  }
}
