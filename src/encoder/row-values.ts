/**
 * Source fields → the values of all columns of a row, as Lightning assembles them (`pkg/lightning/backend/kv/base.go`,
 * `sql2kv.go`): casts, automatic ids, defaults, generated columns.
 */
import { utf8 } from "../base/mod.ts";
import { type Datum, FieldKind, type Fields, NULL_DATUM } from "../codec/mod.ts";
import type { ColumnInfo } from "../schema/mod.ts";
import type { AutoIds } from "./auto-id.ts";
import type { Binding } from "./binding.ts";
import { CastSession, castField, defaultValue } from "./cast/mod.ts";
import { tableExpressions } from "./expr/mod.ts";
import { type ColumnLayout, type TableLayout, unsupported } from "./layout.ts";
import type { EncodeOptions, TableExpressions } from "./options.ts";
import { ROW_ID_INFO } from "./row-id-column.ts";
import { valueError, valueFault } from "./value-error.ts";

type Evaluate = (row: readonly Datum[]) => Datum;

/** An empty slice, for casts that look at the kind only. */
const NOTHING = new Uint8Array(0);

export class RowValues {
  /** By column offset; filled by `assemble`. */
  readonly datums: Datum[];
  /** `_tidb_rowid`; filled by `assemble` for tables whose handle it is. */
  rowIdHandle = 0n;

  private readonly layout: TableLayout;
  private readonly autoIds: AutoIds;
  private readonly session: CastSession;
  /** Evaluators of the table's expressions, sharing the casts of this row. */
  readonly expressions: TableExpressions;
  /** Evaluators of default expressions, compiled when a binding leaves their column out. */
  private readonly defaults: ((() => Datum) | undefined)[];
  /** By column offset. */
  private readonly generated: readonly (Evaluate | undefined)[];
  /** Context of warnings and errors. */
  private column = "";
  private rowId = 0;
  private silent = false;
  private warned = false;

  constructor(layout: TableLayout, options: EncodeOptions, autoIds: AutoIds) {
    this.layout = layout;
    this.autoIds = autoIds;
    this.datums = layout.columns.map(() => NULL_DATUM);
    this.defaults = layout.columns.map(() => undefined);
    const { sqlMode, timeZone, newCollations, nowMs, jsonDoubles } = options.session;
    this.session = new CastSession({
      sqlMode,
      timeZone,
      newCollations,
      nowMs,
      ...(jsonDoubles !== undefined && { jsonDoubles }),
      warn: (mysqlCode, message) => {
        this.warned = true;
        if (!this.silent) options.onWarning?.({ mysqlCode, message, column: this.column, rowId: this.rowId });
      },
    });
    this.expressions = (options.expressions ?? tableExpressions)(this.session, options.session);
    this.generated = compileGenerated(layout, this.expressions);
  }

  /** Compiles the default expressions of columns that a binding leaves out; refuses those that nothing can evaluate. */
  prepare(binding: Binding): void {
    for (const column of this.layout.columns) {
      if (binding.fieldOf[column.offset]! >= 0 || column.generated !== "no" || column.beingAdded) continue;
      if (column.info.default_is_expr && !column.autoIncrement && !column.autoRandom) this.defaultEvaluator(column);
    }
  }

  /** Fills `datums` and `rowIdHandle`; throws `Levin:Encode:ErrValue`. */
  assemble(fields: Fields, binding: Binding, rowId: number): void {
    this.rowId = rowId;
    try {
      for (const column of this.layout.columns) {
        this.column = column.info.name.O;
        this.datums[column.offset] = this.columnValue(column, fields, binding.fieldOf[column.offset]!);
      }
      if (this.layout.handle.kind === "rowid") this.rowIdHandle = this.rowIdValue(fields, binding.rowIdField);
      for (const column of this.layout.columns) {
        if (column.generated !== "no") this.datums[column.offset] = this.generate(column, this.datums);
      }
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  /** Notes the automatic ids of the assembled row; to be called when its pairs are written. */
  noteAutoIds(): void {
    for (const column of this.layout.columns) {
      if (column.autoIncrement || column.autoRandom) this.autoIds.note(column, this.datums[column.offset]!);
    }
    if (this.layout.handle.kind === "rowid") this.autoIds.noteRowId(this.rowIdHandle);
  }

  /** One column's value alone, as `assemble` would put it; `field` -1 where the source has none. */
  value(column: ColumnLayout, fields: Fields, field: number, rowId: number): Datum {
    this.rowId = rowId;
    this.column = column.info.name.O;
    try {
      return this.columnValue(column, fields, field);
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  /** Value of a generated column of the row. */
  generatedValue(column: ColumnLayout, row: readonly Datum[], rowId: number): Datum {
    this.rowId = rowId;
    try {
      return this.generate(column, row);
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  private generate(column: ColumnLayout, row: readonly Datum[]): Datum {
    this.column = column.info.name.O;
    const evaluate = this.generated[column.offset];
    if (evaluate === undefined) return NULL_DATUM;
    const d = evaluate(row);
    return d.kind === "null" && column.notNull ? this.castNothing(FieldKind.null, column) : d;
  }

  /** `_tidb_rowid` that the source gives in `field`. */
  rowIdOf(fields: Fields, field: number, rowId: number): bigint {
    this.rowId = rowId;
    try {
      return this.rowIdValue(fields, field);
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  /** The default of a column if it is the same for all rows and comes without warning or error. */
  constantDefault(column: ColumnLayout): Datum | undefined {
    if (column.autoIncrement || column.autoRandom || column.info.default_is_expr || column.generated !== "no") {
      return undefined;
    }
    this.silent = true;
    this.warned = false;
    try {
      const d = this.castNothing(FieldKind.default, column);
      return this.warned ? undefined : d;
    } catch (thrown) {
      if (valueFault(thrown) === undefined) throw thrown;
      return undefined;
    } finally {
      this.silent = false;
    }
  }

  private failure(thrown: unknown): unknown {
    const fault = valueFault(thrown);
    if (fault === undefined) return thrown;
    return valueError(this.layout.info.name.O, this.column, fault.mysqlCode, fault.message, thrown);
  }

  private columnValue(column: ColumnLayout, fields: Fields, field: number): Datum {
    if (column.beingAdded) return defaultValue(this.session, column.info, true);
    if (column.generated !== "no") return NULL_DATUM;
    const kind = field < 0 ? FieldKind.default : fields.kind[field]!;
    if (kind === FieldKind.default || (kind === FieldKind.null && column.notNull)) {
      if (column.autoIncrement) return this.castInteger(BigInt(this.rowId), column.info);
      if (column.autoRandom) {
        return this.castInteger(this.autoIds.autoRandom(column, BigInt(this.rowId)), column.info);
      }
      if (kind === FieldKind.default && column.info.default_is_expr) return this.defaultEvaluator(column)();
      return this.castNothing(kind, column);
    }
    return castField(
      sourceKind(kind),
      fields.bytes,
      fields.start[field]!,
      fields.end[field]!,
      column.info,
      this.session,
    );
  }

  /** NULL or DEFAULT. */
  private castNothing(kind: number, column: ColumnLayout): Datum {
    return castField(kind, NOTHING, 0, 0, column.info, this.session);
  }

  private castInteger(value: bigint, column: ColumnInfo): Datum {
    const text = utf8(String(value));
    return castField(value < 0n ? FieldKind.int : FieldKind.uint, text, 0, text.length, column, this.session);
  }

  private defaultEvaluator(column: ColumnLayout): () => Datum {
    const { info } = column;
    let evaluate = this.defaults[column.offset];
    if (evaluate === undefined) {
      if (this.expressions.defaultValue === undefined) {
        const reason = `column "${info.name.O}" has the default (${info.default}), an expression that levin does not know`;
        throw unsupported(this.layout.info, reason, { column: info.name.O });
      }
      evaluate = this.expressions.defaultValue(this.layout.info, info);
      this.defaults[column.offset] = evaluate;
    }
    return evaluate;
  }

  private rowIdValue(fields: Fields, field: number): bigint {
    if (field < 0 || fields.kind[field] === FieldKind.default) {
      return this.autoIds.rowId(BigInt(this.rowId));
    }
    this.column = ROW_ID_INFO.name.O;
    const kind = sourceKind(fields.kind[field]!);
    const d = castField(kind, fields.bytes, fields.start[field]!, fields.end[field]!, ROW_ID_INFO, this.session);
    return d.kind === "int" ? d.value : 0n;
  }
}

/**
 * Numbers with a point or an exponent in SQL dumps count as strings, as in Lightning: so integers made of them round half away from
 * zero, and string columns keep their text.
 */
function sourceKind(kind: number): number {
  return kind === FieldKind.decimal || kind === FieldKind.float ? FieldKind.string : kind;
}

function compileGenerated(layout: TableLayout, expressions: TableExpressions): (Evaluate | undefined)[] {
  return layout.columns.map((column) => {
    const { info } = column;
    if (column.generated === "no" || column.beingAdded) return undefined;
    if (expressions.generated === undefined) {
      const reason = `generated column "${info.name.O}" has the expression ${info.generated_expr_string}, which levin does not know`;
      throw unsupported(layout.info, reason, { column: info.name.O });
    }
    return expressions.generated(layout.info, info);
  });
}
