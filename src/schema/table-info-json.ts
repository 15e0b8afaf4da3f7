import { LevinError } from "../base/mod.ts";
import { emptyTable } from "./build/table.ts";
import { parseLosslessJson } from "./lossless-json.ts";
import { PLAIN_COLUMN } from "./plain-column.ts";
import type {
  ColumnInfo,
  FieldTypeInfo,
  IndexInfo,
  PartitionDefinition,
  PartitionInfo,
  TableInfo,
} from "./table-info.ts";

/**
 * TableInfo of TiDB's JSON, as the status port gives it at `/schema/{db}/{table}`. Members that an older server leaves out get
 * the value that means nothing; integers above 2^53 are bigint. What does not fit the model is refused with
 * Levin:Schema:ErrSyntax naming the member, so that the encoder can rely on it.
 */
export function parseTableInfo(json: string): TableInfo {
  return tableInfoOf(parseLosslessJson(json));
}

/** As `parseTableInfo`, of a value that is parsed already. */
export function tableInfoOf(value: unknown): TableInfo {
  const raw = objectAt(value, "TableInfo");
  const name = ciStrAt(raw["name"], "name");
  const table: TableInfo = {
    ...emptyTable(name.O, "utf8mb4", "utf8mb4_bin"),
    ...(present(raw) as Partial<TableInfo>),
    name,
  };
  integerAt(table.id, "id");
  if (table.id <= 0) throw wrong("id", "is not positive");
  table.cols = listAt(raw["cols"] ?? [], "cols").map((column, i) => columnAt(column, `cols[${i}]`));
  table.index_info =
    raw["index_info"] == null
      ? null
      : listAt(raw["index_info"], "index_info").map((index, i) => indexAt(index, `index_info[${i}]`, table));
  table.partition = raw["partition"] == null ? null : partitionAt(raw["partition"], table);
  for (const member of [
    "ShardRowIDBits",
    "auto_random_bits",
    "auto_random_range_bits",
    "common_handle_version",
  ] as const) {
    integerAt(table[member], member);
  }
  for (const member of ["pk_is_handle", "is_common_handle"] as const) booleanAt(table[member], member);
  checkOffsets(table);
  checkHandle(table);
  return table;
}

function wrong(path: string, why: string): LevinError {
  return new LevinError("Levin:Schema:ErrSyntax", `Cannot read TableInfo: "${path}" ${why}`, {
    fields: { member: path },
  });
}

/** Members whose value is not null, so that null means the default. */
function present(raw: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null));
}

function objectAt(value: unknown, path: string): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw wrong(path, "is not an object");
  return value as Record<string, unknown>;
}

function listAt(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(path, "is not a list");
  return value;
}

function integerAt(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw wrong(path, "is not an integer");
  return value;
}

function booleanAt(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw wrong(path, "is neither true nor false");
  return value;
}

function stringAt(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(path, "is not a string");
  return value;
}

function ciStrAt(value: unknown, path: string): { O: string; L: string } {
  const raw = objectAt(value, path);
  return { O: stringAt(raw["O"], `${path}.O`), L: stringAt(raw["L"], `${path}.L`) };
}

function columnAt(value: unknown, path: string): ColumnInfo {
  const raw = objectAt(value, path);
  const column = { ...PLAIN_COLUMN, version: 0, ...present(raw) } as unknown as ColumnInfo;
  column.id = integerAt(raw["id"], `${path}.id`);
  column.name = ciStrAt(raw["name"], `${path}.name`);
  column.offset = integerAt(raw["offset"], `${path}.offset`);
  column.state = integerAt(raw["state"], `${path}.state`);
  column.type = typeAt(raw["type"], `${path}.type`);
  for (const member of ["default", "origin_default"] as const) {
    const given = column[member];
    if (given !== null && typeof given !== "string" && typeof given !== "number") {
      if (typeof given !== "bigint") throw wrong(`${path}.${member}`, "is neither a string nor a number");
      column[member] = `${given as bigint}`;
    }
  }
  for (const member of ["default_bit", "origin_default_bit"] as const) {
    if (column[member] !== null && !/^[A-Za-z0-9+/]*={0,2}$/.test(stringAt(column[member], `${path}.${member}`))) {
      throw wrong(`${path}.${member}`, "is not base64");
    }
  }
  stringAt(column.generated_expr_string, `${path}.generated_expr_string`);
  for (const member of ["default_is_expr", "generated_stored", "hidden"] as const)
    booleanAt(column[member], `${path}.${member}`);
  return column;
}

function typeAt(value: unknown, path: string): FieldTypeInfo {
  const raw = objectAt(value, path);
  for (const member of ["Tp", "Flag", "Flen", "Decimal"]) integerAt(raw[member], `${path}.${member}`);
  const type = { ElemsIsBinaryLit: null, Array: false, ...raw } as unknown as FieldTypeInfo;
  type.Charset = stringAt(raw["Charset"] ?? "", `${path}.Charset`);
  type.Collate = stringAt(raw["Collate"] ?? "", `${path}.Collate`);
  type.Elems =
    raw["Elems"] == null ? null : listAt(raw["Elems"], `${path}.Elems`).map((elem) => stringAt(elem, `${path}.Elems`));
  return type;
}

const INDEX_DEFAULTS: Partial<IndexInfo> = {
  tbl_name: { O: "", L: "" },
  backfill_state: 0,
  comment: "",
  index_type: 1,
  is_unique: false,
  is_primary: false,
  is_invisible: false,
  is_global: false,
  mv_index: false,
  vector_index: null,
};

function indexAt(value: unknown, path: string, table: TableInfo): IndexInfo {
  const raw = objectAt(value, path);
  const index = { ...INDEX_DEFAULTS, ...present(raw) } as unknown as IndexInfo;
  index.id = integerAt(raw["id"], `${path}.id`);
  index.idx_name = ciStrAt(raw["idx_name"], `${path}.idx_name`);
  index.state = integerAt(raw["state"], `${path}.state`);
  index.idx_cols = listAt(raw["idx_cols"], `${path}.idx_cols`).map((part, i) => {
    const at = `${path}.idx_cols[${i}]`;
    const item = objectAt(part, at);
    const offset = integerAt(item["offset"], `${at}.offset`);
    if (offset < 0 || offset >= table.cols.length) throw wrong(`${at}.offset`, `${offset} is no column of the table`);
    return { name: ciStrAt(item["name"], `${at}.name`), offset, length: integerAt(item["length"], `${at}.length`) };
  });
  if (index.idx_cols.length === 0) throw wrong(`${path}.idx_cols`, "is empty");
  for (const member of ["is_unique", "is_primary", "is_global"] as const) booleanAt(index[member], `${path}.${member}`);
  return index;
}

function partitionAt(value: unknown, table: TableInfo): PartitionInfo {
  const raw = objectAt(value, "partition");
  const defaults = { expr: "", enable: true, is_empty_columns: false, num: 0, ddl_state: 0, states: null };
  const info = { ...defaults, ...present(raw) } as unknown as PartitionInfo;
  integerAt(info.type, "partition.type");
  integerAt(info.ddl_state, "partition.ddl_state");
  stringAt(info.expr, "partition.expr");
  info.columns =
    raw["columns"] == null
      ? null
      : listAt(raw["columns"], "partition.columns").map((name, i) => ciStrAt(name, `partition.columns[${i}]`));
  for (const [i, name] of (info.columns ?? []).entries()) {
    if (!table.cols.some((column) => column.name.L === name.L)) {
      throw wrong(`partition.columns[${i}]`, `"${name.O}" is no column of the table`);
    }
  }
  for (const member of ["definitions", "adding_definitions", "dropping_definitions"] as const) {
    const list = raw[member] == null ? null : listAt(raw[member], `partition.${member}`);
    const read = list?.map((definition, i) => definitionAt(definition, `partition.${member}[${i}]`)) ?? null;
    if (member === "definitions") info.definitions = read ?? [];
    else info[member] = read;
  }
  if (info.enable && info.definitions.length === 0) throw wrong("partition.definitions", "is empty");
  return info;
}

function definitionAt(value: unknown, path: string): PartitionDefinition {
  const raw = objectAt(value, path);
  const texts = (list: unknown, at: string) => listAt(list, at).map((text) => stringAt(text, at));
  const definition = { policy_ref_info: null, ...raw } as unknown as PartitionDefinition;
  definition.id = integerAt(raw["id"], `${path}.id`);
  definition.name = ciStrAt(raw["name"], `${path}.name`);
  definition.less_than = raw["less_than"] == null ? null : texts(raw["less_than"], `${path}.less_than`);
  definition.in_values =
    raw["in_values"] == null
      ? null
      : listAt(raw["in_values"], `${path}.in_values`).map((row) => texts(row, `${path}.in_values`));
  return definition;
}

/** Columns stand at their offsets and differ in id. */
function checkOffsets(table: TableInfo): void {
  const ids = new Set<number>();
  table.cols.forEach((column, i) => {
    if (column.offset !== i) throw wrong(`cols[${i}].offset`, `is ${column.offset}`);
    if (ids.has(column.id)) throw wrong(`cols[${i}].id`, `${column.id} stands twice`);
    ids.add(column.id);
  });
  for (const [i, index] of (table.index_info ?? []).entries()) {
    for (const [j, part] of index.idx_cols.entries()) {
      if (table.cols[part.offset]!.name.L !== part.name.L) {
        throw wrong(
          `index_info[${i}].idx_cols[${j}]`,
          `names "${part.name.O}", which is not the column at offset ${part.offset}`,
        );
      }
    }
  }
}

function checkHandle(table: TableInfo): void {
  if (table.view || table.sequence) return;
  if (table.pk_is_handle && !table.cols.some(({ type }) => type.Flag & 2)) {
    throw wrong("pk_is_handle", "is true, but no column has the primary key flag");
  }
  if (table.is_common_handle && !table.index_info?.some(({ is_primary }) => is_primary)) {
    throw wrong("is_common_handle", "is true, but no index is primary");
  }
}
