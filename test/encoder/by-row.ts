/** One row at a time with everything that came of it. */
import { LevinError } from "../../src/base/mod.ts";
import type { Fields, PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeOptions, type EncodeWarning, type TableEncoder } from "../../src/encoder/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";

export interface RowResult {
  readonly rowId: number;
  /** The record first; empty where the row failed. */
  readonly pairs: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  readonly warnings: readonly EncodeWarning[];
  readonly error: LevinError | undefined;
}

export class RowByRow {
  /** For `bindColumns`, `startChunk` and `autoIdMax`. */
  readonly encoder: TableEncoder;
  private pairs: { key: Uint8Array; value: Uint8Array }[] = [];
  private warnings: EncodeWarning[] = [];

  /** Throws as `compileTable` does. */
  constructor(table: TableInfo, options: Omit<EncodeOptions, "record" | "index" | "onWarning">) {
    const sink: PairSink = {
      put: (key, keyLength, value, valueLength) => {
        this.pairs.push({ key: key.slice(0, keyLength), value: value.slice(0, valueLength) });
      },
    };
    const onWarning = (warning: EncodeWarning): void => {
      this.warnings.push(warning);
    };
    this.encoder = compileTable(table, { ...options, record: sink, index: sink, onWarning });
  }

  /** Never throws for a value; a programming error passes through. */
  encode(fields: Fields, rowId: number): RowResult {
    this.pairs = [];
    this.warnings = [];
    let error: LevinError | undefined;
    try {
      this.encoder.encodeRow(fields, rowId);
    } catch (thrown) {
      if (!(thrown instanceof LevinError)) throw thrown;
      error = thrown;
    }
    return { rowId, pairs: this.pairs, warnings: this.warnings, error };
  }
}
