/** Keys of table data (`pkg/tablecodec/tablecodec.go`): `t`, table id, then `_r` and a handle or `_i`, index id and datums. */
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decodeInt, encodeInt } from "./comparable.ts";

/** What identifies a row: a number, or the encoded clustered key (at least 9 bytes). */
export type Handle =
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "common"; readonly bytes: Uint8Array };

const TABLE = 0x74;
const UNDERSCORE = 0x5f;
const RECORD = 0x72;
const INDEX = 0x69;

const RECORD_PREFIX_LENGTH = 11;
const INDEX_PREFIX_LENGTH = 19;
/** Shorter clustered keys are filled up with zeros, so that they are never taken for an int handle. */
export const COMMON_HANDLE_MIN = 9;

/** `t ‖ table id`: everything of a table or partition. */
export function tablePrefix(tableId: bigint | number): Uint8Array {
  const out = new ByteWriter(9);
  out.u8(TABLE);
  encodeInt(out, BigInt(tableId));
  return out.toBytes();
}

export function recordPrefix(physicalId: bigint | number): Uint8Array {
  const out = new ByteWriter(RECORD_PREFIX_LENGTH);
  out.append(tablePrefix(physicalId));
  out.u8(UNDERSCORE);
  out.u8(RECORD);
  return out.toBytes();
}

export function indexPrefix(tableId: bigint | number, indexId: bigint | number): Uint8Array {
  const out = new ByteWriter(INDEX_PREFIX_LENGTH);
  out.append(tablePrefix(tableId));
  out.u8(UNDERSCORE);
  out.u8(INDEX);
  encodeInt(out, BigInt(indexId));
  return out.toBytes();
}

/** The handle as it stands in record keys and row checksums: comparable for numbers, as it is for clustered keys. */
export function encodeHandle(out: ByteWriter, handle: Handle): void {
  if (handle.kind === "int") encodeInt(out, handle.value);
  else out.append(handle.bytes);
}

export function recordKey(physicalId: bigint | number, handle: Handle): Uint8Array {
  const out = new ByteWriter(32);
  out.append(recordPrefix(physicalId));
  encodeHandle(out, handle);
  return out.toBytes();
}

/** A handle of clustered-key datums, filled up to its minimum. */
export function commonHandle(datums: Uint8Array): Handle {
  if (datums.length >= COMMON_HANDLE_MIN) return { kind: "common", bytes: datums };
  const bytes = new Uint8Array(COMMON_HANDLE_MIN);
  bytes.set(datums);
  return { kind: "common", bytes };
}

export type KeyParts =
  | { readonly kind: "record"; readonly tableId: bigint; readonly handle: Handle }
  /** `rest`: datums, and the handle where the entry is not distinct. */
  | { readonly kind: "index"; readonly tableId: bigint; readonly indexId: bigint; readonly rest: Uint8Array }
  | { readonly kind: "other" };

/** Takes a raw key (no region encoding, no timestamp) apart; keys that are no table data are `other`. */
export function splitKey(key: Uint8Array): KeyParts {
  if (key.length < RECORD_PREFIX_LENGTH || key[0] !== TABLE || key[9] !== UNDERSCORE) return { kind: "other" };
  const input = new ByteReader(key, 1);
  const tableId = decodeInt(input);
  input.at += 2;
  if (key[10] === RECORD) {
    if (input.left === 8) return { kind: "record", tableId, handle: { kind: "int", value: decodeInt(input) } };
    if (input.left < COMMON_HANDLE_MIN) throw corrupt(`a record key with a handle of ${input.left} bytes`);
    return { kind: "record", tableId, handle: { kind: "common", bytes: input.rest() } };
  }
  if (key[10] !== INDEX || input.left < 8) return { kind: "other" };
  return { kind: "index", tableId, indexId: decodeInt(input), rest: input.rest() };
}
