/** A TableInfo seen by the encoder: which columns go where, and what is refused. */
import { LevinError } from "../base/mod.ts";
import { type ColumnForm, columnForm, TimeZone } from "../codec/mod.ts";
import { type ColumnInfo, Flag, type IndexInfo, SchemaState, type TableInfo, Tp } from "../schema/mod.ts";

export interface ColumnLayout {
  readonly info: ColumnInfo;
  readonly form: ColumnForm;
  /** Position in `TableLayout.columns` and in the rows of datums. */
  readonly offset: number;
  readonly notNull: boolean;
  readonly generated: "no" | "virtual" | "stored";
  readonly autoIncrement: boolean;
  readonly autoRandom: boolean;
  /** Never in the row: its value is in the key, or is computed on reading. */
  readonly neverStored: boolean;
  /** NULL is left out of the row instead of standing in its null list. */
  readonly nullLeftOut: boolean;
  /** A column that ADD COLUMN is still adding: it takes its default of origin. */
  readonly beingAdded: boolean;
}

export interface IndexPart {
  readonly column: ColumnLayout;
  /** Prefix length, -1 = whole. */
  readonly length: number;
  /** The prefix counts bytes, not characters. */
  readonly prefixInBytes: boolean;
}

export interface IndexLayout {
  readonly info: IndexInfo;
  readonly unique: boolean;
  readonly global: boolean;
  readonly parts: readonly IndexPart[];
  /** Part that holds an array (multi-valued index), -1 if none. */
  readonly arrayPart: number;
  /** Some column's key cannot be turned back into its value. */
  readonly needsRestored: boolean;
}

export type HandleLayout =
  | { readonly kind: "rowid" }
  | { readonly kind: "int"; readonly column: ColumnLayout }
  | { readonly kind: "common"; readonly version: number; readonly parts: readonly IndexPart[] };

export interface TableLayout {
  readonly info: TableInfo;
  readonly columns: readonly ColumnLayout[];
  readonly handle: HandleLayout;
  /** Indexes with entries, in the order in which TiDB writes them. */
  readonly indexes: readonly IndexLayout[];
  readonly partitioned: boolean;
  readonly newCollations: boolean;
  readonly zone: TimeZone;
}

export interface LayoutSession {
  readonly newCollations: boolean;
  readonly timeZone: string;
}

/** Refuses with `Levin:Schema:ErrUnsupported` what has no rows of its own or is not known. */
export function layoutTable(info: TableInfo, session: LayoutSession): TableLayout {
  if (info.view != null) throw unsupported(info, "it is a view");
  if (info.sequence != null) throw unsupported(info, "it is a sequence");
  if ((info.temp_table_type ?? 0) !== 0) throw unsupported(info, "it is a temporary table");
  const zone = TimeZone.find(session.timeZone);
  if (zone === undefined) throw unsupported(info, `time zone "${session.timeZone}" is unknown`);
  const primary = info.index_info?.find((index) => index.is_primary);
  if (info.is_common_handle && primary === undefined) throw unsupported(info, "its clustered key is missing");
  const autoRandom = autoRandomColumn(info, primary);
  const columns = info.cols.map((column) => layoutColumn(info, column, primary, autoRandom, session, zone));
  const handle = layoutHandle(info, columns, primary, session);
  const indexes = (info.index_info ?? [])
    .filter((index) => hasEntries(info, index))
    .map((index) => layoutIndex(info, index, columns, session));
  const partitioned = info.partition?.enable === true;
  if (partitioned && info.partition!.ddl_state !== 0) {
    throw unsupported(info, "its partitions are being changed by a running ALTER TABLE");
  }
  return { info, columns, handle, indexes, partitioned, newCollations: session.newCollations, zone };
}

export function unsupported(
  info: TableInfo,
  reason: string,
  fields: { column?: string; index?: string } = {},
): LevinError {
  return new LevinError("Levin:Schema:ErrUnsupported", `Cannot import table "${info.name.O}": ${reason}`, {
    fields: { table: info.name.O, ...fields },
  });
}

/** The handle column, or the first column of a clustered key. */
function autoRandomColumn(info: TableInfo, primary: IndexInfo | undefined): number {
  if (info.auto_random_bits === 0) return -1;
  if (info.pk_is_handle) return info.cols.findIndex((column) => (column.type.Flag & Flag.priKey) !== 0);
  return info.is_common_handle && primary !== undefined ? primary.idx_cols[0]!.offset : -1;
}

function layoutColumn(
  info: TableInfo,
  column: ColumnInfo,
  primary: IndexInfo | undefined,
  autoRandom: number,
  session: LayoutSession,
  zone: TimeZone,
): ColumnLayout {
  const name = column.name.O;
  if (column.change_state_info != null) {
    throw unsupported(info, `column "${name}" is being changed by a running ALTER TABLE`, { column: name });
  }
  const array = column.type.Array === true;
  const form = array ? arrayForm(column, session, zone) : columnForm(column.type, session.newCollations, zone);
  if (form === undefined) {
    throw unsupported(info, `column "${name}" has type code ${column.type.Tp}, which has no stored form`, {
      column: name,
    });
  }
  const virtual = column.generated_expr_string !== "" && !column.generated_stored;
  const keyPart = info.is_common_handle ? primary!.idx_cols.find((part) => part.offset === column.offset) : undefined;
  const isHandle = info.pk_is_handle && (column.type.Flag & Flag.priKey) !== 0;
  const dropped = column.state === SchemaState.deleteOnly || column.state === SchemaState.deleteReorg;
  return {
    info: column,
    form,
    offset: column.offset,
    notNull: (column.type.Flag & (Flag.notNull | Flag.preventNullInsert)) !== 0,
    generated: column.generated_expr_string === "" ? "no" : virtual ? "virtual" : "stored",
    autoIncrement: (column.type.Flag & Flag.autoIncrement) !== 0,
    autoRandom: column.offset === autoRandom,
    neverStored:
      isHandle || virtual || dropped || (keyPart !== undefined && keyPart.length === -1 && !form.needsRestored),
    nullLeftOut: defaultOf(column) === null && originDefaultOf(column) === null,
    beingAdded: column.state === SchemaState.writeOnly || column.state === SchemaState.writeReorg,
  };
}

/** The datum of an array column is the JSON array; its elements take the form of the element type. */
function arrayForm(column: ColumnInfo, session: LayoutSession, zone: TimeZone): ColumnForm | undefined {
  const element = columnForm(column.type, session.newCollations, zone);
  return element === undefined ? undefined : { ...element, needsRestored: false };
}

/** Text of the default, null if there is none; for BIT base64 of its bytes. */
export function defaultOf(column: ColumnInfo): string | number | null {
  if (column.type.Tp === Tp.bit && column.default_bit != null) return column.default_bit;
  return column.default ?? null;
}

export function originDefaultOf(column: ColumnInfo): string | number | null {
  if (column.type.Tp === Tp.bit && column.origin_default_bit != null) return column.origin_default_bit;
  return column.origin_default ?? null;
}

function layoutHandle(
  info: TableInfo,
  columns: readonly ColumnLayout[],
  primary: IndexInfo | undefined,
  session: LayoutSession,
): HandleLayout {
  if (info.pk_is_handle) {
    const column = columns.find((c) => (c.info.type.Flag & Flag.priKey) !== 0);
    if (column === undefined) throw unsupported(info, "its primary key column is missing");
    return { kind: "int", column };
  }
  if (!info.is_common_handle) return { kind: "rowid" };
  if (info.common_handle_version > 1)
    throw unsupported(info, `clustered keys of version ${info.common_handle_version}`);
  return {
    kind: "common",
    version: info.common_handle_version,
    parts: layoutParts(info, primary!, columns, session),
  };
}

/** Whether the index has key-value pairs; throws where that cannot be said. */
function hasEntries(info: TableInfo, index: IndexInfo): boolean {
  const name = index.idx_name.O;
  if (index.is_primary && (info.is_common_handle || info.pk_is_handle)) return false;
  if (index.vector_index != null || index.inverted_index != null) return false;
  if (index.full_text_index != null || index.hybrid_index != null) return false;
  if (index.state === SchemaState.none || index.state === SchemaState.deleteOnly) return false;
  if (index.state === SchemaState.deleteReorg) return false;
  if (index.state !== SchemaState.public && (index.backfill_state ?? 0) !== 0) {
    throw unsupported(info, `index "${name}" is being added by a running ALTER TABLE`, { index: name });
  }
  return true;
}

function layoutIndex(
  info: TableInfo,
  index: IndexInfo,
  columns: readonly ColumnLayout[],
  session: LayoutSession,
): IndexLayout {
  const name = index.idx_name.O;
  const parts = layoutParts(info, index, columns, session);
  const version = index.global_index_version ?? 0;
  if (index.is_global && (version > 1 || (version === 1 && info.is_common_handle))) {
    throw unsupported(info, `global index "${name}" has version ${version}`, { index: name });
  }
  return {
    info: index,
    unique: index.is_unique || index.is_primary,
    global: index.is_global === true,
    parts,
    arrayPart: index.mv_index === true ? parts.findIndex((part) => part.column.info.type.Array === true) : -1,
    needsRestored: parts.some((part) => part.column.form.needsRestored),
  };
}

function layoutParts(
  info: TableInfo,
  index: IndexInfo,
  columns: readonly ColumnLayout[],
  session: LayoutSession,
): IndexPart[] {
  return index.idx_cols.map((part) => {
    const column = columns[part.offset];
    const name = index.idx_name.O;
    if (column === undefined) throw unsupported(info, `index "${name}" names column ${part.offset}`, { index: name });
    if (session.newCollations && column.form.collation === undefined) {
      const reason = `index "${name}" sorts column "${column.info.name.O}" by collation ${column.form.collationName}, which is unknown`;
      throw unsupported(info, reason, { index: name, column: column.info.name.O });
    }
    const charset = column.info.type.Charset;
    return { column, length: part.length, prefixInBytes: charset === "binary" || charset === "ascii" };
  });
}
