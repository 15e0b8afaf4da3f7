/** Values of index entries (`GenIndexValuePortal` of `pkg/tablecodec`): the old short form, and versions 0 and 1. */
import { ByteReader, corrupt } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decodeInt, encodeInt } from "./comparable.ts";
import type { Handle } from "./key-layout.ts";
import { ROW_V2 } from "./row.ts";

const COMMON_HANDLE = 0x7f;
const PARTITION_ID = 0x7e;
const VERSION = 0x7d;
/** Values up to this length are the old form. */
const OLD_MAX = 9;
const MIN_NEW = 10;

export interface IndexValueParts {
  /** Present in entries without a handle in the key. */
  readonly handle: Handle | undefined;
  /** Global indexes only. */
  readonly partitionId: bigint | undefined;
  /** A row of format 2 with what keys cannot give back. */
  readonly restored: Uint8Array | undefined;
}

/** Old form or version 0: int handles, and clustered tables from before 5.0. */
export function encodeIndexValueV0(out: ByteWriter, parts: IndexValueParts): void {
  const { handle, partitionId, restored } = parts;
  if (partitionId === undefined && restored === undefined && handle?.kind !== "common") {
    if (handle === undefined) out.u8(0x30);
    else out.u64be(handle.value);
    return;
  }
  const from = out.length;
  out.u8(0);
  putOptions(out, parts);
  if (handle?.kind === "int") {
    out.u64be(handle.value);
    out.bytes[from] = 8;
    return;
  }
  const padding = Math.max(0, MIN_NEW - (out.length - from));
  for (let i = 0; i < padding; i++) out.u8(0);
  out.bytes[from] = padding;
}

/** Version 1: clustered tables since 5.0. */
export function encodeIndexValueV1(out: ByteWriter, parts: IndexValueParts): void {
  out.u8(0);
  out.u8(VERSION);
  out.u8(1);
  putOptions(out, parts);
}

function putOptions(out: ByteWriter, parts: IndexValueParts): void {
  if (parts.handle?.kind === "common") {
    out.u8(COMMON_HANDLE);
    out.u16be(parts.handle.bytes.length);
    out.append(parts.handle.bytes);
  }
  if (parts.partitionId !== undefined) {
    out.u8(PARTITION_ID);
    encodeInt(out, parts.partitionId);
  }
  if (parts.restored !== undefined) out.append(parts.restored);
}

/** Takes the value of an index entry apart. */
export function splitIndexValue(value: Uint8Array): IndexValueParts {
  if (value.length <= OLD_MAX) return splitOld(value);
  const input = new ByteReader(value);
  const tailLength = input.u8();
  if (input.bytes[1] === VERSION && tailLength <= 1) input.at += 2;
  const end = value.length - tailLength;
  if (end < input.at) throw corrupt(`an index value of ${value.length} bytes with a tail of ${tailLength}`);
  const options = new ByteReader(value, input.at, end);
  let handle: Handle | undefined;
  let partitionId: bigint | undefined;
  let restored: Uint8Array | undefined;
  if (options.left > 0 && value[options.at] === COMMON_HANDLE) {
    options.at++;
    handle = { kind: "common", bytes: options.take(options.u16be()) };
  }
  if (options.left > 0 && value[options.at] === PARTITION_ID) {
    options.at++;
    partitionId = decodeInt(options);
  }
  if (options.left > 0) {
    if (value[options.at] !== ROW_V2) throw corrupt(`byte ${value[options.at]} in an index value`);
    restored = options.rest();
  }
  if (tailLength >= 8 && handle === undefined) {
    handle = { kind: "int", value: BigInt.asIntN(64, new ByteReader(value, end).u64be()) };
  }
  return { handle, partitionId, restored };
}

function splitOld(value: Uint8Array): IndexValueParts {
  const none = { partitionId: undefined, restored: undefined };
  if (value.length < 8) {
    // The shortest value of version 1 is 00 7d 01.
    if (value.length === 0) throw corrupt("an empty index value");
    return { handle: undefined, ...none };
  }
  return { handle: { kind: "int", value: BigInt.asIntN(64, new ByteReader(value).u64be()) }, ...none };
}
