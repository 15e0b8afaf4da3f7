import { utf8 } from "../base/mod.ts";
import { FieldKind, type Fields, growFields, newFields } from "../codec/mod.ts";
import type { TableInfo } from "../schema/mod.ts";

/** A column that is in no file, and its value. */
interface ExtraColumn {
  readonly name: string;
  readonly value: string;
}

/**
 * What a table's rows need between scanner and encoder: columns that are filled from names of the source, and fields that short rows
 * lack. Tables that need neither pass through untouched.
 */
export class RowShape {
  /** What the encoder must bind; undefined: by position. */
  names: readonly string[] | undefined;
  /** Rows that were filled up. */
  shortRows = 0;
  readonly active: boolean;
  private readonly info: TableInfo;
  private readonly extras: readonly { name: string; bytes: Uint8Array }[];
  private readonly allowShort: boolean;
  private readonly wide: Fields = newFields(16);
  /** Fields that a row has in the source. */
  private expected = 0;

  constructor(info: TableInfo, extraColumns: ReadonlyArray<ExtraColumn>, allowShort: boolean) {
    this.info = info;
    this.extras = extraColumns.map(({ name, value }) => ({
      name,
      bytes: utf8(value),
    }));
    this.allowShort = allowShort;
    this.active = allowShort || extraColumns.length > 0;
  }

  /** Rows of these columns follow; `count` is the number of fields of the first. */
  begin(columns: readonly string[] | undefined, count: number): void {
    const own = new Set(this.extras.map(({ name }) => name.toLowerCase()));
    const visible = this.info.cols.filter((column) => !column.hidden && !own.has(column.name.L));
    const plain = visible.filter((column) => column.generated_expr_string === "");
    const byPosition = count === visible.length ? visible : plain;
    this.expected = columns?.length ?? byPosition.length;
    if (this.extras.length === 0) this.names = columns;
    else {
      const names = columns ?? byPosition.map((column) => column.name.O);
      this.names = [...names, ...this.extras.map(({ name }) => name)];
    }
  }

  /** The row as the encoder takes it; valid as long as `fields` are. */
  apply(fields: Fields): Fields {
    if (this.allowShort && fields.count < this.expected) this.fillUp(fields);
    return this.extras.length === 0 ? fields : this.widen(fields);
  }

  private fillUp(fields: Fields): void {
    this.shortRows++;
    growFields(fields, this.expected);
    for (let k = fields.count; k < this.expected; k++) {
      fields.kind[k] = FieldKind.default;
      fields.start[k] = 0;
      fields.end[k] = 0;
    }
    fields.count = this.expected;
  }

  /** Copies the row, for its bytes stand in the scanner's window, which has no room for more. */
  private widen(fields: Fields): Fields {
    const { wide, extras } = this;
    growFields(wide, fields.count + extras.length);
    let size = 0;
    for (let k = 0; k < fields.count; k++) size += fields.end[k]! - fields.start[k]!;
    for (const { bytes } of extras) size += bytes.length;
    if (wide.bytes.length < size) wide.bytes = new Uint8Array(2 * size);
    let at = 0;
    for (let k = 0; k < fields.count; k++) {
      const value = fields.bytes.subarray(fields.start[k]!, fields.end[k]!);
      at = put(wide, k, fields.kind[k]!, value, at);
    }
    extras.forEach(({ bytes }, k) => {
      at = put(wide, fields.count + k, FieldKind.string, bytes, at);
    });
    wide.count = fields.count + extras.length;
    return wide;
  }
}

function put(fields: Fields, k: number, kind: number, value: Uint8Array, at: number): number {
  fields.bytes.set(value, at);
  fields.kind[k] = kind;
  fields.start[k] = at;
  fields.end[k] = at + value.length;
  return at + value.length;
}
