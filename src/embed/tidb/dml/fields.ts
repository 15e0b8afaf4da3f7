import { utf8 } from "../../../base/mod.ts";
import {
  type Datum,
  dateText,
  dateTimeText,
  decimalText,
  durationText,
  FieldKind,
  type Fields,
  growFields,
  jsonText,
  newFields,
  unpackTime,
} from "../../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../../schema/mod.ts";
import { vectorText } from "../reader/mod.ts";

/** One source value. */
export interface Cell {
  /** Of `FieldKind`. */
  kind: number;
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export const NULL_CELL: Cell = { kind: FieldKind.null, bytes: NOTHING };
export const DEFAULT_CELL: Cell = { kind: FieldKind.default, bytes: NOTHING };

export const textCell = (text: string): Cell => ({ kind: FieldKind.string, bytes: utf8(text) });
export const intCell = (value: bigint): Cell => ({
  kind: value < 0n ? FieldKind.int : FieldKind.uint,
  bytes: utf8(String(value)),
});

/** Cells as the fields of one row. */
export function fieldsOf(cells: readonly Cell[]): Fields {
  const fields = newFields(cells.length);
  growFields(fields, cells.length);
  let size = 0;
  for (const cell of cells) size += cell.bytes.length;
  fields.bytes = new Uint8Array(size);
  fields.count = cells.length;
  let at = 0;
  for (let i = 0; i < cells.length; i++) {
    const { kind, bytes } = cells[i]!;
    fields.bytes.set(bytes, at);
    fields.start[i] = at;
    at += bytes.length;
    fields.end[i] = at;
    fields.kind[i] = kind;
  }
  return fields;
}

function bigEndian(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

/** A cell that gives exactly this value again when it is stored without strict mode in the zone it was read in. */
export function cellOfDatum(datum: Datum, type: FieldTypeInfo): Cell {
  switch (datum.kind) {
    case "null":
      return NULL_CELL;
    case "int":
    case "uint":
      return type.Tp === Tp.year ? textCell(datum.value.toString().padStart(4, "0")) : intCell(datum.value);
    case "float":
      return textCell(Object.is(datum.value, -0) ? "-0" : String(datum.value));
    case "decimal":
      return textCell(decimalText(datum.value));
    case "bytes":
      return { kind: FieldKind.string, bytes: datum.value };
    case "time": {
      const parts = unpackTime(datum.packed);
      return textCell(type.Tp === Tp.date ? dateText(parts) : dateTimeText(parts, datum.fsp));
    }
    case "duration":
      return textCell(durationText(datum.nanos, datum.fsp));
    case "enum":
    case "set":
      return intCell(datum.value);
    case "bit":
      return { kind: FieldKind.hex, bytes: bigEndian(datum.value) };
    case "json":
      return textCell(jsonText(datum.value));
    case "vector":
      return textCell(vectorText(datum.value));
  }
}
