/**
 * Source fields → the values of all columns of a row, as Lightning assembles them (`pkg/lightning/backend/kv/base.go`,
 * `sql2kv.go`): casts, automatic ids, defaults, generated columns.
 */
import { utf8 } from "../base/mod.ts";
import { type Datum, FieldKind, type Fields, NULL_DATUM, type TimeZone } from "../codec/mod.ts";
import { type ColumnInfo, Flag, isStrict, parseSqlMode, Tp } from "../schema/mod.ts";
import type { AutoIds } from "./auto-id.ts";
import type { Binding } from "./binding.ts";
import { compileDefault, compileOriginDefault, type DefaultTools } from "./defaults.ts";
import { type ColumnLayout, type TableLayout, unsupported } from "./layout.ts";
import type { ColumnCaster, EncodeOptions, TableExpressions } from "./options.ts";
import { MysqlCode, valueError, valueFault } from "./value-error.ts";
import { zeroValue } from "./zero-value.ts";

type Evaluate = (row: readonly Datum[]) => Datum;

export class RowValues {
  /** By column offset; filled by `assemble`. */
  readonly datums: Datum[];
  /** `_tidb_rowid`; filled by `assemble` for tables whose handle it is. */
  rowIdHandle = 0n;

  private readonly layout: TableLayout;
  private readonly autoIds: AutoIds;
  private readonly caster: ColumnCaster;
  private readonly strict: boolean;
  private readonly tools: DefaultTools;
  private readonly defaults: ((() => Datum) | undefined)[];
  private readonly origins: ((() => Datum) | undefined)[];
  private readonly generated: readonly { column: ColumnLayout; evaluate: Evaluate }[];
  private readonly warn: (mysqlCode: number, message: string) => void;
  /** Context of warnings and errors. */
  private column = "";
  private rowId = 0;

  constructor(layout: TableLayout, options: EncodeOptions, autoIds: AutoIds) {
    this.layout = layout;
    this.autoIds = autoIds;
    this.datums = layout.columns.map(() => NULL_DATUM);
    const { session, makeCaster } = options;
    const warn = (mysqlCode: number, message: string): void =>
      options.onWarning?.({ mysqlCode, message, column: this.column, rowId: this.rowId });
    this.warn = warn;
    this.caster = makeCaster(session, session.timeZone, warn);
    this.strict = isStrict(parseSqlMode(session.sqlMode));
    const expressions = options.expressions ?? {};
    this.tools = {
      layout,
      session,
      strict: this.strict,
      caster: this.caster,
      casterIn: (zone: TimeZone) => makeCaster(session, zone.name, warn),
      expressions,
      warn,
    };
    this.defaults = layout.columns.map(() => undefined);
    this.origins = layout.columns.map((c) => (c.beingAdded ? compileOriginDefault(c, this.tools) : undefined));
    this.generated = compileGenerated(layout, expressions);
  }

  /** Prepares the defaults of columns that a binding leaves out; refuses the expressions among them that nothing can evaluate. */
  prepare(binding: Binding): void {
    for (const column of this.layout.columns) {
      if (binding.fieldOf[column.offset]! >= 0 || column.generated !== "no" || column.beingAdded) continue;
      if (!column.autoIncrement && !column.autoRandom)
        this.defaults[column.offset] ??= compileDefault(column, this.tools);
    }
  }

  /** Fills `datums` and `rowIdHandle`; throws `Levin:Encode:ErrValue`. */
  assemble(fields: Fields, binding: Binding, rowId: number): void {
    this.rowId = rowId;
    for (const column of this.layout.columns) {
      this.column = column.info.name.O;
      try {
        this.datums[column.offset] = this.columnValue(column, fields, binding.fieldOf[column.offset]!, rowId);
      } catch (thrown) {
        throw this.failure(thrown);
      }
    }
    if (this.layout.handle.kind === "rowid") this.assembleRowId(fields, binding.rowIdField, rowId);
    for (const { column, evaluate } of this.generated) {
      this.column = column.info.name.O;
      try {
        const d = evaluate(this.datums);
        this.datums[column.offset] = d.kind === "null" && column.notNull ? this.badNull(column) : d;
      } catch (thrown) {
        throw this.failure(thrown);
      }
    }
  }

  private failure(thrown: unknown): unknown {
    const fault = valueFault(thrown);
    if (fault === undefined) return thrown;
    return valueError(this.layout.info.name.O, this.column, fault.mysqlCode, fault.message, thrown);
  }

  private columnValue(column: ColumnLayout, fields: Fields, field: number, rowId: number): Datum {
    if (column.beingAdded) return this.origins[column.offset]!();
    if (column.generated !== "no") return NULL_DATUM;
    let value: Datum | undefined;
    let badNull = false;
    if (field >= 0 && fields.kind[field] !== FieldKind.default) {
      const kind = fields.kind[field]!;
      const d =
        kind === FieldKind.null
          ? NULL_DATUM
          : this.caster.cast(kind, fields.bytes, fields.start[field]!, fields.end[field]!, column.info);
      if (d.kind !== "null" || !column.notNull) value = d;
      else badNull = true;
    }
    value ??= this.missing(column, badNull, rowId);
    if (column.autoIncrement || column.autoRandom) this.autoIds.note(column, value);
    return value;
  }

  /** A column that the source does not give, or gives as NULL where NULL cannot be. */
  private missing(column: ColumnLayout, badNull: boolean, rowId: number): Datum {
    if (column.autoIncrement) return this.castInteger(BigInt(rowId), column.info);
    if (column.autoRandom) return this.castInteger(this.autoIds.autoRandom(column, BigInt(rowId)), column.info);
    if (badNull) return this.badNull(column);
    this.defaults[column.offset] ??= compileDefault(column, this.tools);
    return this.defaults[column.offset]!();
  }

  private badNull(column: ColumnLayout): Datum {
    const message = `Column '${column.info.name.O}' cannot be null`;
    if (this.strict) throw Object.assign(new Error(message), { code: MysqlCode.columnCannotBeNull });
    this.warn(MysqlCode.columnCannotBeNull, message);
    return zeroValue(column);
  }

  private castInteger(value: bigint, column: ColumnInfo): Datum {
    const text = utf8(String(value));
    return this.caster.cast(value < 0n ? FieldKind.int : FieldKind.uint, text, 0, text.length, column);
  }

  private assembleRowId(fields: Fields, field: number, rowId: number): void {
    if (field < 0 || fields.kind[field] === FieldKind.default) {
      this.rowIdHandle = this.autoIds.rowId(BigInt(rowId));
      this.autoIds.noteRowId(BigInt(rowId));
      return;
    }
    this.column = ROW_ID_INFO.name.O;
    try {
      if (fields.kind[field] === FieldKind.null)
        throw Object.assign(new Error("Column '_tidb_rowid' cannot be null"), { code: 1048 });
      const start = fields.start[field]!;
      const d = this.caster.cast(fields.kind[field]!, fields.bytes, start, fields.end[field]!, ROW_ID_INFO);
      this.rowIdHandle = d.kind === "int" ? d.value : 0n;
    } catch (thrown) {
      throw this.failure(thrown);
    }
    this.autoIds.noteRowId(this.rowIdHandle);
  }
}

function compileGenerated(
  layout: TableLayout,
  expressions: TableExpressions,
): { column: ColumnLayout; evaluate: Evaluate }[] {
  return layout.columns
    .filter((column) => column.generated !== "no" && !column.beingAdded)
    .map((column) => {
      const { info } = column;
      if (expressions.generated === undefined) {
        const reason = `generated column "${info.name.O}" has the expression ${info.generated_expr_string}, which levin does not know`;
        throw unsupported(layout.info, reason, { column: info.name.O });
      }
      return { column, evaluate: expressions.generated(layout.info, info) };
    });
}

/** `_tidb_rowid` as a column, for casts. */
const ROW_ID_INFO: ColumnInfo = {
  id: -1,
  name: { O: "_tidb_rowid", L: "_tidb_rowid" },
  offset: -1,
  origin_default: null,
  origin_default_bit: null,
  default: null,
  default_bit: null,
  default_is_expr: false,
  generated_expr_string: "",
  generated_stored: false,
  dependences: null,
  type: {
    Tp: Tp.longlong,
    Flag: Flag.notNull | Flag.priKey,
    Flen: 20,
    Decimal: 0,
    Charset: "binary",
    Collate: "binary",
    Elems: null,
  },
  state: 5,
  comment: "",
  hidden: true,
  change_state_info: null,
  version: 2,
};
