/** Row values, formats 1 and 2 (`pkg/util/rowcodec`, `EncodeOldRow` of `pkg/tablecodec`). */
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { ColumnForm } from "./column-form.ts";
import { decodeVarint, encodeVarint } from "./comparable.ts";
import { crc32 } from "./crc32.ts";
import type { Datum } from "./datum.ts";
import { DatumFlag, decodeFlaggedDatum, decodeRowDatum, encodeRowDatum, encodeValueDatum } from "./datum-codec.ts";

/** First byte of format 2. */
export const ROW_V2 = 0x80;
const LARGE = 1;
const CHECKSUM = 2;
const SMALL_DATA_MAX = 0xffff;
const SMALL_ID_MAX = 0xff;

/** A column of a row: id, value, and the form that its type gives it. */
export interface RowCell {
  readonly id: number;
  readonly datum: Datum;
  readonly form: ColumnForm;
}

/** Row checksum: version 1 hashes the record key behind the row, version 2 the handle. */
export interface RowChecksum {
  readonly version: 1 | 2;
  /** The bytes hashed behind the row. */
  readonly tail: Uint8Array;
}

const byId = (a: RowCell, b: RowCell): number => a.id - b.id;

/** Appends the row; cells may come in any order. */
export function encodeRowV2(out: ByteWriter, cells: readonly RowCell[], checksum?: RowChecksum): void {
  const present = cells.filter((c) => c.datum.kind !== "null").sort(byId);
  const nulls = cells.filter((c) => c.datum.kind === "null").sort(byId);
  const data = new ByteWriter();
  const ends: number[] = [];
  for (const cell of present) {
    encodeRowDatum(data, cell.datum, cell.form);
    ends.push(data.length);
  }
  const large = data.length > SMALL_DATA_MAX || cells.some((c) => c.id > SMALL_ID_MAX);
  const from = out.length;
  out.u8(ROW_V2);
  out.u8((large ? LARGE : 0) | (checksum === undefined ? 0 : CHECKSUM));
  out.u16le(present.length);
  out.u16le(nulls.length);
  for (const cell of present) large ? out.u32le(cell.id) : out.u8(cell.id);
  for (const cell of nulls) large ? out.u32le(cell.id) : out.u8(cell.id);
  for (const end of ends) large ? out.u32le(end) : out.u16le(end);
  out.slice(data.bytes, 0, data.length);
  if (checksum === undefined) return;
  out.u8(checksum.version);
  const row = crc32(out.bytes, from, out.length);
  out.u32le(crc32(checksum.tail, 0, checksum.tail.length, row));
}

/** Appends the row in the order of the cells; without cells one byte 00. */
export function encodeRowV1(out: ByteWriter, cells: readonly RowCell[]): void {
  if (cells.length === 0) out.u8(0);
  for (const cell of cells) {
    out.u8(DatumFlag.varint);
    encodeVarint(out, BigInt(cell.id));
    encodeValueDatum(out, cell.datum, cell.form);
  }
}

/** A row of format 2 taken apart. */
export interface RowV2 {
  readonly large: boolean;
  /** Bare bytes by column id. */
  readonly values: Map<number, Uint8Array>;
  readonly nulls: Set<number>;
  readonly checksum: { readonly version: number; readonly crc: number; readonly extra: number | undefined } | undefined;
  /** Length of the row without its checksum bytes. */
  readonly length: number;
}

export function splitRowV2(row: Uint8Array): RowV2 {
  const input = new ByteReader(row);
  if (input.u8() !== ROW_V2) throw corrupt("a row of format 2 begins with 80");
  const flags = input.u8();
  const large = (flags & LARGE) !== 0;
  const presentCount = input.u16le();
  const nullCount = input.u16le();
  input.need((presentCount + nullCount) * (large ? 4 : 1) + presentCount * (large ? 4 : 2));
  const id = (): number => (large ? input.u32le() : input.u8());
  const ids = Array.from({ length: presentCount }, id);
  const nulls = new Set(Array.from({ length: nullCount }, id));
  const ends = Array.from({ length: presentCount }, () => (large ? input.u32le() : input.u16le()));
  const values = new Map<number, Uint8Array>();
  let start = 0;
  for (let i = 0; i < presentCount; i++) {
    if (ends[i]! < start) throw corrupt(`offset ${ends[i]} of column ${ids[i]} lies before ${start}`);
    values.set(ids[i]!, input.take(ends[i]! - start));
    start = ends[i]!;
  }
  const length = input.at;
  if ((flags & CHECKSUM) === 0) {
    if (input.left !== 0) throw corrupt(`${input.left} bytes behind the row`);
    return { large, values, nulls, checksum: undefined, length };
  }
  const header = input.u8();
  const crc = input.u32le();
  const extra = (header & 8) !== 0 ? input.u32le() : undefined;
  return { large, values, nulls, checksum: { version: header & 7, crc, extra }, length };
}

/** True where the row's checksum (version 1 or 2) fits `tail`, the record key or the handle. */
export function rowChecksumFits(row: Uint8Array, tail: Uint8Array): boolean {
  const { checksum, length } = splitRowV2(row);
  return checksum !== undefined && crc32(tail, 0, tail.length, crc32(row, 0, length + 1)) === checksum.crc;
}

/**
 * Values of a row of either format by column id, for the columns in `forms`; NULL where the row says so. A column that the row
 * does not mention is absent: its value is in the key, or the column's default of origin.
 */
export function decodeRow(row: Uint8Array, forms: ReadonlyMap<number, ColumnForm>): Map<number, Datum> {
  const out = new Map<number, Datum>();
  if (row[0] === ROW_V2) {
    const { values, nulls } = splitRowV2(row);
    for (const [id, bytes] of values) {
      const form = forms.get(id);
      if (form !== undefined) out.set(id, decodeRowDatum(bytes, form));
    }
    for (const id of nulls) if (forms.has(id)) out.set(id, { kind: "null" });
    return out;
  }
  const input = new ByteReader(row);
  if (row.length === 1 && row[0] === 0) return out;
  while (input.left > 0) {
    if (input.u8() !== DatumFlag.varint) throw corrupt("a column id in a row of format 1");
    const id = Number(decodeVarint(input));
    const form = forms.get(id);
    if (form === undefined) throw corrupt(`column ${id} of a row of format 1 is unknown`);
    out.set(id, decodeFlaggedDatum(input, form));
  }
  return out;
}
