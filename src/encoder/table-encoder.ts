import { LevinError } from "../base/mod.ts";
import type { Fields } from "../codec/mod.ts";
import type { TableInfo } from "../schema/mod.ts";
import type { PlainSyntax } from "../source/mod.ts";
import { type AutoIdMax, AutoIds } from "./auto-id.ts";
import { type Binding, bindNames, bindPositions } from "./binding.ts";
import { BulkEncoder } from "./bulk/bulk-encoder.ts";
import { planBulk } from "./bulk/plan.ts";
import { FastRows, fastReason } from "./fast/fast-rows.ts";
import { layoutTable, type TableLayout } from "./layout.ts";
import type { EncodeOptions } from "./options.ts";
import { RowPairs } from "./row-pairs.ts";
import { RowRules } from "./row-rules.ts";
import { RowValues } from "./row-values.ts";

/** Rows of one table → key-value pairs. Not shared between threads; made by `compileTable`. */
export class TableEncoder {
  private readonly layout: TableLayout;
  private readonly autoIds: AutoIds;
  private readonly values: RowValues;
  private readonly pairs: RowPairs;
  private readonly fast: FastRows | undefined;
  private fastBound: Binding | undefined;
  private bindings: readonly Binding[] = [];
  private readonly options: EncodeOptions;
  /** The last one, what it was made for, and the spelling that was asked for since columns were bound. */
  private bulk: BulkEncoder | undefined;
  private bulkKey = "";
  private bulkSyntax: PlainSyntax | undefined;

  constructor(layout: TableLayout, options: EncodeOptions) {
    this.layout = layout;
    this.options = options;
    this.autoIds = new AutoIds(layout);
    this.values = new RowValues(layout, options, this.autoIds);
    const rules = new RowRules(layout, this.values.expressions);
    this.pairs = new RowPairs(layout, options, rules);
    const plain = options.plainOnly === true || fastReason(layout, options) !== undefined;
    this.fast = plain ? undefined : new FastRows(layout, options, this.values, rules, this.autoIds);
    this.bindColumns(undefined);
  }

  /**
   * Says which columns the fields of the next rows are: the names of a column list or header, or undefined for rows by position
   * (with or without generated columns). `ignored`: names in lower case whose fields are not used. Throws
   * `Levin:Source:ErrUnknownColumn`, `Levin:Encode:ErrColumnTwice`, and `Levin:Schema:ErrUnsupported` where a column that is left out
   * has a default that cannot be evaluated.
   */
  bindColumns(columnNames: readonly string[] | undefined, ignored: ReadonlySet<string> = new Set()): void {
    const bindings =
      columnNames === undefined ? bindPositions(this.layout, ignored) : bindNames(this.layout, columnNames, ignored);
    for (const binding of bindings) this.values.prepare(binding);
    this.bindings = bindings;
    this.fastBound = undefined;
    this.bulkSyntax = undefined;
  }

  /** Begins a chunk; AUTO_RANDOM shards come from the seed (Lightning: the largest row number before the chunk). */
  startChunk(autoRandomSeed: number | bigint): void {
    this.autoIds.startChunk(autoRandomSeed);
  }

  /**
   * Writes the pairs of one row: the record to `options.record`, then the index entries to `options.index`; on an error none. `rowId`
   * is the row's number, for automatic ids. Throws `Levin:Encode:ErrValue`, `Levin:Encode:ErrNoPartition`,
   * `Levin:Source:ErrFieldCount`.
   */
  encodeRow(fields: Fields, rowId: number): void {
    const binding = this.bindingFor(fields.count);
    if (this.fast !== undefined) {
      if (this.fastBound !== binding) {
        this.fast.bind(binding);
        this.fastBound = binding;
      }
      this.fast.encode(fields, rowId);
      return;
    }
    this.values.assemble(fields, binding, rowId);
    this.pairs.write(this.values.datums, this.values.rowIdHandle);
    this.values.noteAutoIds();
  }

  /**
   * What encodes many rows of this spelling at a time, made when it is first asked for (about 50 ms); undefined where the table or
   * the sinks do not allow it. To be asked for anew after `bindColumns`.
   */
  bulkEncoder(syntax: PlainSyntax): BulkEncoder | undefined {
    if (this.bulkSyntax !== syntax) {
      this.bulkSyntax = syntax;
      this.prepareBulk(syntax);
    }
    return this.bulk;
  }

  /** Gives the memory of the bulk encoder back, about two megabytes; the next one is made anew. */
  dropBulk(): void {
    this.drain();
    this.bulk = undefined;
    this.bulkKey = "";
    this.bulkSyntax = undefined;
  }

  /** Brings the checksums of the sinks up to date; needed after a bulk encoder was used. */
  drain(): void {
    this.bulk?.drain();
  }

  /** Largest automatic ids seen so far. */
  get autoIdMax(): Readonly<AutoIdMax> {
    return this.autoIds.max;
  }

  /** Chunks of a table are mostly of one kind: what was made for the last one goes on. */
  private prepareBulk(syntax: PlainSyntax): void {
    const bound = this.bindings.map(({ fieldOf, rowIdField }) => [...fieldOf, rowIdField]);
    const key = JSON.stringify([bound, { ...syntax, nulls: syntax.nulls.map((marker) => [...marker]) }]);
    if (key === this.bulkKey) return;
    this.drain();
    this.bulkKey = key;
    const record = this.options.record.packed;
    const index = this.options.index.packed;
    const plan = record && index && planBulk(this.layout, this.options, this.bindings, syntax);
    this.bulk = plan && BulkEncoder.start(plan, { record, index }, this.autoIds);
  }

  private bindingFor(count: number): Binding {
    for (const binding of this.bindings) if (binding.fieldCount === count) return binding;
    const expected = this.bindings.map((b) => b.fieldCount).join(" or ");
    const message = `Cannot read row of table "${this.layout.info.name.O}": expected ${expected} columns, found ${count}`;
    throw new LevinError("Levin:Source:ErrFieldCount", message, {
      fields: { table: this.layout.info.name.O, expected, found: count },
    });
  }
}

/**
 * Compiles the encoder of a table. Throws `Levin:Schema:ErrUnsupported`, naming table, column or index and the reason, for what
 * levin cannot encode.
 */
export function compileTable(table: TableInfo, options: EncodeOptions): TableEncoder {
  return new TableEncoder(layoutTable(table, options.session), options);
}
