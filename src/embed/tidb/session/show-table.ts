import { toHex } from "../../../base/mod.ts";
import { splitKey, tablePrefix } from "../../../codec/mod.ts";
import { Flag, type IndexInfo, type TableInfo, typeText } from "../../../schema/mod.ts";
import type { Relation } from "../query/select.ts";
import { ROW_ID } from "../reader/mod.ts";
import { AutoIds } from "../store/mod.ts";
import type { Front } from "./front.ts";
import { fitted, madeUp } from "./made-up.ts";
import { defaultText, extraText, keyText } from "./table-facts.ts";

const PLACE = { schema: "INFORMATION_SCHEMA" };

/** SHOW COLUMNS. */
export function columnsOf(table: TableInfo, full: boolean): Relation {
  const rows = table.cols
    .filter((column) => !column.hidden && column.state === 5)
    .map((column) => {
      const nullable = (column.type.Flag & Flag.notNull) !== 0 ? "NO" : "YES";
      const base = [
        column.name.O,
        typeText(column.type, false),
        nullable,
        keyText(table, column),
        defaultText(column),
        extraText(column, table),
      ];
      if (!full) return base;
      const collation = column.type.Charset === "binary" ? null : column.type.Collate;
      return [base[0]!, base[1]!, collation, ...base.slice(2), "select,insert,update,references", column.comment];
    });
  const names = full
    ? ["Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"]
    : ["Field", "Type", "Null", "Key", "Default", "Extra"];
  return madeUp(fitted(names, rows), rows);
}

/** One row for each column of each index, the clustered integer key first. */
export interface IndexPart {
  name: string;
  unique: boolean;
  seq: number;
  column: string;
  length: number;
  expression: string | null;
  nullable: boolean;
  visible: boolean;
  clustered: boolean;
  global: boolean;
  comment: string;
  indexId: number;
}

export function indexParts(table: TableInfo): IndexPart[] {
  const parts: IndexPart[] = [];
  const handle = table.pk_is_handle ? table.cols.find(({ type }) => (type.Flag & Flag.priKey) !== 0) : undefined;
  if (handle !== undefined) {
    const plain = { length: -1, expression: null, nullable: false, visible: true, global: false, comment: "" };
    parts.push({ ...plain, name: "PRIMARY", unique: true, seq: 1, column: handle.name.O, clustered: true, indexId: 0 });
  }
  for (const index of table.index_info ?? []) {
    parts.push(...index.idx_cols.map((part, i) => indexPart(table, index, part, i + 1)));
  }
  return parts;
}

function indexPart(table: TableInfo, index: IndexInfo, part: IndexInfo["idx_cols"][number], seq: number): IndexPart {
  const column = table.cols[part.offset]!;
  return {
    name: index.idx_name.O,
    unique: index.is_unique,
    seq,
    column: column.hidden ? "NULL" : part.name.O,
    length: part.length,
    expression: column.hidden ? column.generated_expr_string : null,
    nullable: (column.type.Flag & Flag.notNull) === 0,
    visible: !index.is_invisible,
    clustered: index.is_primary && table.is_common_handle,
    global: index.is_global,
    comment: index.comment,
    indexId: index.id,
  };
}

/** SHOW INDEX. */
export function indexesOf(table: TableInfo): Relation {
  const rows = indexParts(table).map((part) => [
    table.name.O,
    part.unique ? "0" : "1",
    part.name,
    String(part.seq),
    part.column,
    "A",
    "0",
    part.length < 0 ? null : String(part.length),
    null,
    part.nullable ? "YES" : "",
    "BTREE",
    "",
    part.comment,
    part.visible ? "YES" : "NO",
    part.expression,
    part.clustered ? "YES" : "NO",
    part.global ? "YES" : "NO",
  ]);
  const names = [
    "Table",
    "Non_unique:int",
    "Key_name",
    "Seq_in_index:int",
    "Column_name",
    "Collation",
    "Cardinality:int",
    "Sub_part:int",
    "Packed",
    "Null",
    "Index_type",
    "Comment",
    "Index_comment",
    "Visible",
    "Expression",
    "Clustered",
    "Global",
  ];
  return madeUp(fitted(names, rows), rows);
}

/** SHOW TABLE t NEXT_ROW_ID and ADMIN SHOW t NEXT_ROW_ID: the counters as they are stored. */
export function nextRowIds({ autoIds }: Front, db: string, table: TableInfo): Relation {
  const rows: string[][] = [];
  const auto = table.cols.find(({ type }) => (type.Flag & Flag.autoIncrement) !== 0);
  const handle = table.cols.find(({ type }) => table.pk_is_handle && (type.Flag & Flag.priKey) !== 0);
  if (table.auto_random_bits > 0) {
    const column = handle ?? table.cols[table.index_info?.find((index) => index.is_primary)?.idx_cols[0]?.offset ?? 0]!;
    rows.push([db, table.name.O, column.name.O, String(autoIds.nextGlobal(table, "random")), "AUTO_RANDOM"]);
  } else {
    const separate = auto !== undefined && AutoIds.kindOf(table, "increment") === "increment";
    const hasRowId = !table.pk_is_handle && !table.is_common_handle;
    if (hasRowId || (auto !== undefined && !separate)) {
      const name = !hasRowId && auto !== undefined ? auto.name.O : ROW_ID;
      rows.push([db, table.name.O, name, String(autoIds.nextGlobal(table, "rowid")), "_TIDB_ROWID"]);
    }
    if (separate)
      rows.push([db, table.name.O, auto.name.O, String(autoIds.nextGlobal(table, "increment")), "AUTO_INCREMENT"]);
  }
  const names = ["DB_NAME", "TABLE_NAME", "COLUMN_NAME", "NEXT_GLOBAL_ROW_ID:int:4:32", "ID_TYPE:60"];
  return madeUp(names, rows, PLACE);
}

/** A region border as SHOW … REGIONS writes it: `t_112_r_250000`, `t_112_i_1_`, else hex. */
export function borderText(key: Uint8Array): string {
  if (key.length === 0) return "";
  const table = prefixText(key);
  if (table !== undefined) return table;
  const parts = splitKey(key);
  if (parts.kind === "record") {
    const handle = parts.handle.kind === "int" ? String(parts.handle.value) : toHex(parts.handle.bytes);
    return `t_${parts.tableId}_r_${handle}`;
  }
  if (parts.kind === "index") return `t_${parts.tableId}_i_${parts.indexId}_${toHex(parts.rest)}`;
  return toHex(key);
}

/** `t_112_` and `t_112_r`: keys that end before a handle or an index. */
function prefixText(key: Uint8Array): string | undefined {
  if (key[0] !== 0x74 || key.length < 9 || key.length > 11) return undefined;
  const id = BigInt(`0x${toHex(key.subarray(1, 9))}`) - (1n << 63n);
  if (key.length === 9) return `t_${id}_`;
  return key.length === 11 && key[10] === 0x72 ? `t_${id}_r` : `t_${id}_${toHex(key.subarray(9))}`;
}

/** SHOW TABLE t [PARTITION (p, …)] [INDEX i] REGIONS. */
export function regionsOf(
  front: Front,
  ids: readonly number[],
  prefix?: (id: number) => [Uint8Array, Uint8Array],
): Relation {
  const seen = new Set<bigint>();
  const rows: string[][] = [];
  for (const id of ids) {
    const [start, end] = prefix?.(id) ?? [tablePrefix(id), tablePrefix(id + 1)];
    for (const region of front.storage.regions(start, end)) {
      if (seen.has(region.id)) continue;
      seen.add(region.id);
      rows.push([
        String(region.id),
        borderText(region.start),
        borderText(region.end),
        String(region.leaderId),
        String(region.leaderStoreId),
        region.peerIds.join(", "),
        "0",
        "0",
        "0",
        String(region.sizeMiB),
        String(region.keys),
        "",
        "",
      ]);
    }
  }
  const names = [
    "REGION_ID:int:4:32",
    "START_KEY",
    "END_KEY",
    "LEADER_ID:int:4:32",
    "LEADER_STORE_ID:int:4:32",
    "PEERS",
    "SCATTERING:tiny:1:32",
    "WRITTEN_BYTES:int:4:32",
    "READ_BYTES:int:4:32",
    "APPROXIMATE_SIZE(MB):int:4:32",
    "APPROXIMATE_KEYS:int:4:32",
    "SCHEDULING_CONSTRAINTS:1024",
    "SCHEDULING_STATE:64",
  ];
  return madeUp(names, rows, PLACE);
}
