import type { Expr } from "../sql/expr.ts";

/** Statements that the catalog executes, as written. `at` is the string offset where a thing begins. */
export interface TableName {
  schema?: string;
  name: string;
  at: number;
}

export interface DataType {
  /** Lower-case name of the type without synonyms: `int`, `varchar`, `decimal`, `text` … */
  name: TypeName;
  length?: number;
  decimals?: number;
  unsigned?: boolean;
  zerofill?: boolean;
  charset?: string;
  /** BINARY behind a character type: the `_bin` collation. */
  binary?: boolean;
  /** Elements of ENUM and SET; `bytes` for hex and bit literals. */
  elems?: { text: string; bytes?: Uint8Array }[];
  /** Written as BOOL or BOOLEAN. */
  boolean?: boolean;
}

export type TypeName =
  | "tinyint"
  | "smallint"
  | "mediumint"
  | "int"
  | "bigint"
  | "float"
  | "double"
  | "decimal"
  | "bit"
  | "char"
  | "varchar"
  | "binary"
  | "varbinary"
  | "tinyblob"
  | "blob"
  | "mediumblob"
  | "longblob"
  | "tinytext"
  | "text"
  | "mediumtext"
  | "longtext"
  | "enum"
  | "set"
  | "json"
  | "vector"
  | "date"
  | "datetime"
  | "timestamp"
  | "time"
  | "year";

export type ReferenceAction = "none" | "restrict" | "cascade" | "set null" | "no action" | "set default";

export interface Reference {
  table: TableName;
  columns: KeyPart[];
  onDelete: ReferenceAction;
  onUpdate: ReferenceAction;
}

export type ColumnOption =
  | { kind: "null" | "notNull" | "autoIncrement"; at: number }
  | { kind: "default"; at: number; expr: Expr }
  | { kind: "onUpdate"; at: number; expr: Expr }
  | { kind: "primary"; at: number; clustered?: boolean; global?: boolean }
  | { kind: "unique"; at: number; global?: boolean }
  | { kind: "comment"; at: number; text: string }
  | { kind: "collate"; at: number; collation: string }
  | { kind: "generated"; at: number; expr: Expr; stored: boolean }
  | { kind: "reference"; at: number; reference: Reference }
  | { kind: "check"; at: number; name?: string; expr: Expr; enforced: boolean }
  | { kind: "autoRandom"; at: number; shardBits?: number; rangeBits?: number };

export interface ColumnDef {
  at: number;
  name: string;
  type: DataType;
  options: ColumnOption[];
}

/** A column, its prefix, or an expression of an index. */
export interface KeyPart {
  at: number;
  column?: string;
  /** Characters, undefined = the whole column. */
  length?: number;
  expr?: Expr;
  descending?: boolean;
}

export interface IndexOptions {
  using?: "btree" | "hash" | "rtree" | "hypo";
  comment?: string;
  invisible?: boolean;
  global?: boolean;
  clustered?: boolean;
  /** Where the option is written that an index with pairs cannot have. */
  condition?: { at: number; expr: Expr };
}

export type Constraint =
  | {
      kind: "primary" | "key" | "unique" | "fulltext" | "spatial" | "vector";
      at: number;
      name?: string;
      ifNotExists?: boolean;
      parts: KeyPart[];
      options: IndexOptions;
    }
  | { kind: "foreign"; at: number; name?: string; ifNotExists?: boolean; parts: KeyPart[]; reference: Reference }
  | { kind: "check"; at: number; name?: string; expr: Expr; enforced: boolean };

/** Options that change the TableInfo; others are read and left out. */
export interface TableOptions {
  charset?: { name: string; at: number };
  collate?: { name: string; at: number };
  comment?: string;
  autoIncrement?: bigint;
  autoIncrementForced?: boolean;
  autoIdCache?: bigint;
  autoRandomBase?: bigint;
  shardRowIdBits?: number;
  preSplitRegions?: number;
  compression?: string;
  placementPolicy?: string;
  ttl?: { column: string; interval: Expr; unit: string; at: number };
  ttlEnable?: boolean;
  ttlJobInterval?: string;
}

export interface PartitionDef {
  at: number;
  name: string;
  /** VALUES LESS THAN (…): expressions or `maxvalue`. */
  lessThan?: (Expr | "maxvalue")[];
  /** VALUES IN (…): rows of expressions; `default` for DEFAULT. */
  inValues?: (Expr | "default")[][];
  comment?: string;
  placementPolicy?: string;
}

export interface PartitionInterval {
  at: number;
  amount: Expr;
  /** Unit of time for RANGE COLUMNS over dates. */
  unit?: string;
  first?: Expr;
  last?: Expr;
  nullPartition: boolean;
  maxvaluePartition: boolean;
}

export interface PartitionBy {
  at: number;
  type: "range" | "hash" | "list" | "key";
  linear: boolean;
  expr?: Expr;
  /** RANGE COLUMNS, LIST COLUMNS and KEY. */
  columns?: string[];
  count?: number;
  definitions: PartitionDef[];
  interval?: PartitionInterval;
  /** UPDATE INDEXES of ALTER TABLE … PARTITION BY: index name and whether it becomes global. */
  updateIndexes?: { name: string; global: boolean }[];
}

export interface CreateTable {
  kind: "create table";
  at: number;
  table: TableName;
  ifNotExists: boolean;
  temporary?: "local" | "global";
  like?: TableName;
  columns: ColumnDef[];
  constraints: Constraint[];
  options: TableOptions;
  partition?: PartitionBy;
}

export type ColumnPosition = { place: "last" } | { place: "first" } | { place: "after"; column: string };

export type AlterSpec =
  | {
      kind: "add columns";
      at: number;
      columns: ColumnDef[];
      position: ColumnPosition;
      ifNotExists: boolean;
      constraints: Constraint[];
    }
  | { kind: "drop column"; at: number; name: string; ifExists: boolean }
  | { kind: "modify column"; at: number; from: string; column: ColumnDef; position?: ColumnPosition; ifExists: boolean }
  | { kind: "rename column"; at: number; from: string; to: string }
  | { kind: "set default"; at: number; column: string; expr?: Expr }
  | { kind: "add constraint"; at: number; constraint: Constraint }
  | { kind: "drop index"; at: number; name: string; ifExists: boolean }
  | { kind: "drop primary"; at: number }
  | { kind: "drop foreign"; at: number; name: string; ifExists: boolean }
  | { kind: "drop check"; at: number; name: string }
  | { kind: "rename index"; at: number; from: string; to: string }
  | { kind: "index visibility"; at: number; name: string; invisible: boolean }
  | { kind: "rename table"; at: number; to: TableName }
  | { kind: "options"; at: number; options: TableOptions }
  | { kind: "convert charset"; at: number; charset?: string; collate?: string }
  | { kind: "partition by"; at: number; partition: PartitionBy }
  | { kind: "remove partitioning"; at: number }
  | { kind: "add partition"; at: number; definitions: PartitionDef[]; count?: number; ifNotExists: boolean }
  | { kind: "drop partition"; at: number; names: string[]; ifExists: boolean }
  | { kind: "truncate partition"; at: number; names: string[] | "all" }
  | { kind: "reorganize partition"; at: number; names: string[]; definitions: PartitionDef[] }
  | { kind: "coalesce partition"; at: number; count: number }
  | { kind: "exchange partition"; at: number; partition: string; table: TableName }
  | { kind: "first partition"; at: number; lessThan: Expr }
  | { kind: "last partition"; at: number; lessThan: Expr }
  | { kind: "remove ttl"; at: number }
  | { kind: "cache"; at: number; cached: boolean }
  | { kind: "nothing"; at: number };

export interface SequenceOptions {
  start?: bigint;
  increment?: bigint;
  minValue?: bigint | "none";
  maxValue?: bigint | "none";
  cache?: bigint | "none";
  cycle?: boolean;
  comment?: string;
}

export type Statement =
  | CreateTable
  | { kind: "drop table"; at: number; tables: TableName[]; ifExists: boolean; what: "table" | "view" | "sequence" }
  | { kind: "rename table"; at: number; pairs: { from: TableName; to: TableName }[] }
  | { kind: "truncate table"; at: number; table: TableName }
  | { kind: "alter table"; at: number; table: TableName; specs: AlterSpec[] }
  | { kind: "create index"; at: number; table: TableName; constraint: Constraint }
  | { kind: "drop index"; at: number; table: TableName; name: string; ifExists: boolean }
  | {
      kind: "create view";
      at: number;
      view: TableName;
      orReplace: boolean;
      algorithm: "UNDEFINED" | "MERGE" | "TEMPTABLE";
      definer?: { user: string; host: string };
      security: "DEFINER" | "INVOKER";
      columns?: string[];
      /** Text of the SELECT as written. */
      select: string;
      checkOption: "CASCADED" | "LOCAL";
    }
  | { kind: "create sequence"; at: number; sequence: TableName; ifNotExists: boolean; options: SequenceOptions }
  | { kind: "create database"; at: number; name: string; ifNotExists: boolean; charset?: string; collate?: string }
  | { kind: "alter database"; at: number; name?: string; charset?: string; collate?: string }
  | { kind: "drop database"; at: number; name: string; ifExists: boolean }
  | { kind: "use"; at: number; name: string };
