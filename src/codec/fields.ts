/**
 * One row as a scanner sees it and an encoder takes it: column slices as offsets into one buffer, no object per field.
 * The scanner owns the buffer and overwrites slices and bytes at its next row (escapes are resolved in place).
 */
export interface Fields {
  /** Holds the bytes of all fields of the row. */
  bytes: Uint8Array;
  /** Number of fields of this row. */
  count: number;
  /** Offset of each field's first byte. */
  start: Int32Array;
  /** Offset behind each field's last byte. */
  end: Int32Array;
  /** What each field is, a value of `FieldKind`. */
  kind: Uint8Array;
}

/** Kinds of source values; the names follow the `kind` of the golden casts. */
export const FieldKind = {
  /** NULL; the slice is empty. */
  null: 0,
  /** Text: a CSV field, a quoted SQL string. UTF-8 bytes, escapes resolved. */
  string: 1,
  /** Digits of an unquoted SQL integer with a minus sign (signed 64-bit). */
  int: 2,
  /** Digits of an unquoted SQL integer without a sign (unsigned 64-bit). */
  uint: 3,
  /** Text of an unquoted SQL number with a point, without exponent. */
  decimal: 4,
  /** Text of an unquoted SQL number with an exponent. */
  float: 5,
  /** Bytes of a hex literal (0x…, x'…'), already decoded. */
  hex: 6,
  /** Bytes of a bit literal (0b…, b'…'), already decoded, big-endian, whole bytes. */
  bit: 7,
  /** Bytes of a string with the introducer `_binary`. */
  binary: 8,
  /** TRUE; the slice is empty. */
  true: 9,
  /** FALSE; the slice is empty. */
  false: 10,
  /** The keyword DEFAULT; the slice is empty. */
  default: 11,
} as const;

/** Fields with room for `capacity` columns. */
export function newFields(capacity: number): Fields {
  return {
    bytes: new Uint8Array(0),
    count: 0,
    start: new Int32Array(capacity),
    end: new Int32Array(capacity),
    kind: new Uint8Array(capacity),
  };
}

/** Makes room for at least `capacity` columns, keeping what is there. */
export function growFields(fields: Fields, capacity: number): void {
  if (capacity <= fields.kind.length) return;
  const size = Math.max(capacity, fields.kind.length * 2);
  const grown = newFields(size);
  grown.start.set(fields.start);
  grown.end.set(fields.end);
  grown.kind.set(fields.kind);
  fields.start = grown.start;
  fields.end = grown.end;
  fields.kind = grown.kind;
}
