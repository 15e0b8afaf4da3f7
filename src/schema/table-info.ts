/**
 * TiDB's TableInfo as its status port gives it at `/schema/{db}/{table}` (source of the facts: TiDB `pkg/meta/model/table.go`,
 * `column.go`, `index.go`, `pkg/parser/types/field_type.go`). Same member names as in the JSON, so that no translation table is
 * needed. Ids fit 2^53; members that may hold larger integers (`update_timestamp`, `auto_inc_id`, `auto_rand_id`) are kept as
 * `bigint | number` by the lossless reader.
 */
export interface CIStr {
  /** As written. */
  O: string;
  /** Lower case. */
  L: string;
}

export interface FieldTypeInfo {
  Tp: number;
  Flag: number;
  /** Display length, -1 unspecified. */
  Flen: number;
  /** Scale, fractional seconds; -1 unspecified. */
  Decimal: number;
  Charset: string;
  Collate: string;
  Elems: string[] | null;
  ElemsIsBinaryLit?: boolean[] | null;
  /** Element type of a multi-valued index column. */
  Array?: boolean;
}

export interface ColumnInfo {
  id: number;
  name: CIStr;
  offset: number;
  origin_default: string | number | null;
  /** base64. */
  origin_default_bit: string | null;
  default: string | number | null;
  /** base64. */
  default_bit: string | null;
  default_is_expr: boolean;
  generated_expr_string: string;
  generated_stored: boolean;
  dependences: Record<string, unknown> | null;
  type: FieldTypeInfo;
  state: number;
  comment: string;
  hidden: boolean;
  change_state_info: { relative_col_offset: number } | null;
  version: number;
}

export interface IndexColumn {
  name: CIStr;
  /** Offset into `cols`. */
  offset: number;
  /** Prefix length, -1 = whole column. */
  length: number;
}

export interface IndexInfo {
  id: number;
  idx_name: CIStr;
  tbl_name: CIStr;
  idx_cols: IndexColumn[];
  state: number;
  backfill_state?: number;
  comment: string;
  index_type: number;
  is_unique: boolean;
  is_primary: boolean;
  is_invisible: boolean;
  is_global: boolean;
  mv_index?: boolean;
  vector_index?: unknown;
  inverted_index?: unknown;
  full_text_index?: unknown;
  hybrid_index?: unknown;
  partial_condition_expr_string?: string;
  global_index_version?: number;
}

export interface PartitionDefinition {
  id: number;
  name: CIStr;
  /** SQL texts, or MAXVALUE. */
  less_than: string[] | null;
  in_values: string[][] | null;
  comment?: string;
  policy_ref_info?: unknown;
}

export interface PartitionInfo {
  /** 1 range, 2 hash, 3 list, 4 key. */
  type: number;
  expr: string;
  columns: CIStr[] | null;
  enable: boolean;
  is_empty_columns: boolean;
  definitions: PartitionDefinition[];
  adding_definitions: PartitionDefinition[] | null;
  dropping_definitions: PartitionDefinition[] | null;
  states?: unknown;
  num: number;
  ddl_state: number;
  new_table_id?: number;
  ddl_type?: number;
  ddl_expr?: string;
  ddl_columns?: CIStr[];
}

export interface TableInfo {
  id: number;
  name: CIStr;
  charset: string;
  collate: string;
  cols: ColumnInfo[];
  index_info: IndexInfo[] | null;
  constraint_info?: ConstraintInfo[] | null;
  fk_info?: ForeignKeyInfo[] | null;
  state: number;
  pk_is_handle: boolean;
  is_common_handle: boolean;
  common_handle_version: number;
  comment: string;
  auto_inc_id: number | bigint;
  auto_id_cache: number | bigint;
  auto_rand_id: number | bigint;
  max_col_id: number;
  max_idx_id: number;
  max_fk_id?: number;
  max_cst_id?: number;
  update_timestamp: number | bigint;
  ShardRowIDBits: number;
  max_shard_row_id_bits: number;
  auto_random_bits: number;
  auto_random_range_bits: number;
  pre_split_regions: number;
  partition: PartitionInfo | null;
  compression: string;
  view: ViewInfo | null;
  sequence: SequenceInfo | null;
  Lock?: unknown;
  version: number;
  tiflash_replica?: unknown;
  is_columnar?: boolean;
  temp_table_type?: number;
  cache_table_status?: number;
  policy_ref_info?: unknown;
  stats_options?: unknown;
  exchange_partition_info?: unknown;
  ttl_info?: TtlInfo | null;
  /** Number of schema changes; of no meaning here. */
  revision?: number;
}

/** `constraint_info` members: CHECK. */
export interface ConstraintInfo {
  id: number;
  constraint_name: CIStr;
  tbl_name: CIStr;
  constraint_cols: CIStr[];
  enforced: boolean;
  in_column: boolean;
  expr_string: string;
  state: number;
}

/** `fk_info` members. */
export interface ForeignKeyInfo {
  id: number;
  fk_name: CIStr;
  ref_schema: CIStr;
  ref_table: CIStr;
  ref_cols: CIStr[];
  cols: CIStr[];
  /** 0 none, 1 restrict, 2 cascade, 3 set null, 4 no action, 5 set default. */
  on_delete: number;
  on_update: number;
  state: number;
  version: number;
}

export interface TtlInfo {
  column: CIStr;
  interval_expr: string;
  /** 1 microsecond, 2 second … 9 year (`ast.TimeUnitType`). */
  interval_time_unit: number;
  enable: boolean;
  job_interval: string;
}

/** `view` of a view. */
export interface ViewInfo {
  view_algorithm: number;
  view_definer: {
    Username: string;
    Hostname: string;
    CurrentUser: boolean;
    AuthUsername: string;
    AuthHostname: string;
  };
  view_security: number;
  view_select: string;
  view_checkoption: number;
  view_cols: CIStr[] | null;
}

/** `sequence` of a sequence. */
export interface SequenceInfo {
  sequence_start: number | bigint;
  sequence_cache: boolean;
  sequence_cycle: boolean;
  sequence_min_value: number | bigint;
  sequence_max_value: number | bigint;
  sequence_increment: number | bigint;
  sequence_cache_value: number | bigint;
  sequence_comment: string;
}

/** Type codes (`pkg/parser/mysql/type.go`). */
export const Tp = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  duration: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  vector: 225,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyblob: 249,
  mediumblob: 250,
  longblob: 251,
  blob: 252,
  varstring: 253,
  string: 254,
  geometry: 255,
} as const;

/** Column flags (`pkg/parser/mysql/type.go`). */
export const Flag = {
  notNull: 1,
  priKey: 2,
  uniqueKey: 4,
  multipleKey: 8,
  blob: 16,
  unsigned: 32,
  zerofill: 64,
  binary: 128,
  enum: 256,
  autoIncrement: 512,
  timestamp: 1024,
  set: 2048,
  noDefaultValue: 4096,
  onUpdateNow: 8192,
  partKey: 16384,
  num: 32768,
  parseToJson: 1 << 18,
  isBoolean: 1 << 19,
  preventNullInsert: 1 << 20,
  enumSetAsInt: 1 << 21,
  dropColumnIndex: 1 << 22,
  generatedColumn: 1 << 23,
  underscoreCharset: 1 << 24,
} as const;

/** SchemaState: only write-only and later states have KV pairs. */
export const SchemaState = { none: 0, deleteOnly: 1, writeOnly: 2, writeReorg: 3, deleteReorg: 4, public: 5 } as const;

export const PartitionType = { none: 0, range: 1, hash: 2, list: 3, key: 4 } as const;
