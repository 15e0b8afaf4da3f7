/** The plain path's second half: values of a row → its record pair and index pairs. Right for every table, one object a value. */
import {
  ByteWriter,
  CollationError,
  commonHandle,
  type Datum,
  encodeHandle,
  encodeKeyDatum,
  encodeRowV1,
  encodeRowV2,
  type Handle,
  type RowCell,
  recordPrefix,
} from "../codec/mod.ts";
import { cutPrefix, IndexPairWriter } from "./index-pairs.ts";
import type { TableLayout } from "./layout.ts";
import type { EncodeOptions } from "./options.ts";
import { PairStage } from "./pair-stage.ts";
import type { RowRules } from "./row-rules.ts";
import { keyError } from "./value-error.ts";

/** Version of the row checksum that TiDB has written since 8.4. */
const ROW_CHECKSUM_VERSION = 2;

export class RowPairs {
  private readonly layout: TableLayout;
  private readonly options: EncodeOptions;
  private readonly rules: RowRules;
  private readonly indexWriter: IndexPairWriter;
  private readonly key = new ByteWriter();
  private readonly value = new ByteWriter();
  private readonly tail = new ByteWriter();
  private readonly records = new PairStage();
  private readonly indexes = new PairStage();

  constructor(layout: TableLayout, options: EncodeOptions, rules: RowRules) {
    this.layout = layout;
    this.options = options;
    this.rules = rules;
    this.indexWriter = new IndexPairWriter(layout);
  }

  /** Writes the pairs of one row; on an error none. */
  write(datums: readonly Datum[], rowIdHandle: bigint): void {
    this.records.clear();
    this.indexes.clear();
    try {
      this.stage(datums, rowIdHandle);
    } catch (thrown) {
      if (!(thrown instanceof CollationError)) throw thrown;
      throw keyError(this.layout.info.name.O, thrown);
    }
    this.records.flush(this.options.record);
    this.indexes.flush(this.options.index);
  }

  private stage(datums: readonly Datum[], rowIdHandle: bigint): void {
    const { layout } = this;
    const physicalId = BigInt(this.rules.physicalId(datums));
    const handle = this.handleOf(datums, rowIdHandle);
    this.key.clear();
    this.key.append(recordPrefix(physicalId));
    encodeHandle(this.key, handle);
    this.writeRow(datums, handle);
    this.records.put(this.key.bytes, this.key.length, this.value.bytes, this.value.length);
    for (const index of layout.indexes) {
      if (!this.rules.wants(index, datums)) continue;
      this.indexWriter.write(index, { datums, handle, physicalId }, this.indexes);
    }
  }

  private handleOf(datums: readonly Datum[], rowIdHandle: bigint): Handle {
    const { handle } = this.layout;
    if (handle.kind === "rowid") return { kind: "int", value: rowIdHandle };
    if (handle.kind === "int") {
      const d = datums[handle.column.offset]!;
      return { kind: "int", value: d.kind === "int" || d.kind === "uint" ? BigInt.asIntN(64, d.value) : 0n };
    }
    const out = new ByteWriter(64);
    for (const part of handle.parts) {
      encodeKeyDatum(out, cutPrefix(datums[part.column.offset]!, part), part.column.form);
    }
    return commonHandle(out.toBytes());
  }

  private writeRow(datums: readonly Datum[], handle: Handle): void {
    const cells: RowCell[] = [];
    for (const column of this.layout.columns) {
      if (column.neverStored) continue;
      const datum = datums[column.offset]!;
      if (datum.kind === "null" && column.nullLeftOut) continue;
      cells.push({ id: column.info.id, datum, form: column.form });
    }
    const { rowFormatVersion, rowLevelChecksum } = this.options.session;
    this.value.clear();
    if (rowFormatVersion === 1) encodeRowV1(this.value, cells);
    else if (!rowLevelChecksum) encodeRowV2(this.value, cells);
    else {
      this.tail.clear();
      encodeHandle(this.tail, handle);
      encodeRowV2(this.value, cells, { version: ROW_CHECKSUM_VERSION, tail: this.tail.toBytes() });
    }
  }
}
