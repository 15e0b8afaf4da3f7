/** Casts to ENUM and SET (TiDB `pkg/types/enum.go`, `set.go`): names by the column's collation, then numbers. */
import { equalBytes, utf8 } from "../../base/mod.ts";
import {
  appendSortKey,
  ByteWriter,
  type Collation,
  CollationError,
  type Datum,
  findCollation,
  rawCollation,
} from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { byteString } from "./bytes-text.ts";
import { CastError, Code, DATA_TRUNCATED } from "./fault.ts";
import { toUnsigned } from "./integer.ts";
import { MAX_UINT64 } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, enumName, setName } from "./source.ts";

/** Sort keys of a column's elements. */
interface ElementKeys {
  readonly collation: Collation;
  readonly keys: readonly Uint8Array[];
}

const caches = [new WeakMap<readonly string[], ElementKeys>(), new WeakMap<readonly string[], ElementKeys>()];
const writer = new ByteWriter(64);

/** Null for a text that is cut within a character: TiDB itself fails there. */
function sortKeyOrNull(collation: Collation, text: Uint8Array): Uint8Array | null {
  writer.clear();
  try {
    appendSortKey(writer, collation, text, 0, text.length);
  } catch (error) {
    if (error instanceof CollationError) return null;
    throw error;
  }
  return writer.bytes.slice(0, writer.length);
}

/** The row is refused where TiDB fails. */
function cutText(): CastError {
  return new CastError(Code.none, "Cannot compare text: a UTF-8 sequence ends too early");
}

function sortKey(collation: Collation, text: Uint8Array): Uint8Array {
  const key = sortKeyOrNull(collation, text);
  if (key === null) throw cutText();
  return key;
}

/** Sort key of a text up to the character that it is cut in. */
function keyBeforeCut(collation: Collation, text: Uint8Array): Uint8Array {
  for (let cut = 1; cut <= Math.min(3, text.length); cut++) {
    const key = sortKeyOrNull(collation, text.subarray(0, text.length - cut));
    if (key !== null) return key;
  }
  throw cutText();
}

function elementKeys(session: CastSession, type: FieldTypeInfo): ElementKeys {
  const elems = type.Elems ?? [];
  const cache = caches[session.newCollations ? 1 : 0]!;
  const cached = cache.get(elems);
  const collation = session.newCollations ? (findCollation(type.Collate) ?? rawCollation) : rawCollation;
  if (cached !== undefined && cached.collation === collation) return cached;
  const made = { collation, keys: elems.map((elem) => sortKey(collation, utf8(elem))) };
  cache.set(elems, made);
  return made;
}

function indexOfKey(keys: readonly Uint8Array[], key: Uint8Array): number {
  return keys.findIndex((candidate) => equalBytes(candidate, key));
}

const DIGITS: Record<string, RegExp> = { "0x": /^[0-9a-f]+$/, "0b": /^[01]+$/, "0o": /^[0-7]+$/ };

/** Underscores may stand between digits, and between prefix and digits. */
function withoutUnderscores(text: string): string | null {
  if (!text.includes("_")) return text;
  return /^(?:0[xbo])?(?:_?[0-9a-f])+$/.test(text) ? text.replaceAll("_", "") : null;
}

/** A number as Go's `strconv.ParseUint(text, 0, 64)` reads it: decimal, 0x, 0b, 0o, or octal behind a 0. Null if it is none. */
function parseIndex(bytes: Uint8Array): bigint | null {
  if (bytes.length === 0 || bytes.length > 200) return null;
  const lower = byteString(bytes).toLowerCase();
  const plain = /^[0-9]/.test(lower) ? withoutUnderscores(lower) : null;
  if (plain === null) return null;
  let value: bigint;
  const prefixed = DIGITS[plain.slice(0, 2)];
  if (prefixed !== undefined) {
    if (!prefixed.test(plain.slice(2))) return null;
    value = BigInt(plain);
  } else if (plain.length > 1 && plain.startsWith("0")) {
    if (!/^[0-7]+$/.test(plain)) return null;
    value = BigInt(`0o${plain}`);
  } else {
    if (!/^[0-9]+$/.test(plain)) return null;
    value = BigInt(plain);
  }
  return value <= MAX_UINT64 ? value : null;
}

/** Index by number, 0 and a failure if there is no such element. */
function enumByNumber(session: CastSession, value: bigint, type: FieldTypeInfo): bigint {
  if (value >= 1n && value <= BigInt(type.Elems?.length ?? 0)) return value;
  session.raise(DATA_TRUNCATED);
  return 0n;
}

function enumByName(session: CastSession, name: Uint8Array, type: FieldTypeInfo): bigint {
  const { collation, keys } = elementKeys(session, type);
  const key = sortKeyOrNull(collation, name);
  if (key === null) {
    // TiDB compares character by character, and fails only if it gets to the one that is cut.
    const before = keyBeforeCut(collation, name);
    if (keys.some((candidate) => equalBytes(candidate.subarray(0, before.length), before))) throw cutText();
  }
  const index = key === null ? -1 : indexOfKey(keys, key);
  if (index >= 0) return BigInt(index + 1);
  return enumByNumber(session, parseIndex(name) ?? 0n, type);
}

/** Bits of the named elements; null if a name is not one of them. */
function maskOfNames(session: CastSession, names: Uint8Array, type: FieldTypeInfo): bigint | null {
  if (names.length === 0) return 0n;
  const { collation, keys } = elementKeys(session, type);
  let mask = 0n;
  let start = 0;
  for (let at = 0; at <= names.length; at++) {
    if (at < names.length && names[at] !== 0x2c) continue;
    const index = indexOfKey(keys, sortKey(collation, names.subarray(start, at)));
    if (index < 0) return null;
    mask |= 1n << BigInt(index);
    start = at + 1;
  }
  return mask;
}

function setByNumber(session: CastSession, value: bigint, type: FieldTypeInfo): bigint {
  if (value >> BigInt(type.Elems?.length ?? 0) === 0n) return value;
  session.raise(DATA_TRUNCATED);
  return 0n;
}

function setByName(session: CastSession, names: Uint8Array, type: FieldTypeInfo): bigint {
  const mask = maskOfNames(session, names, type);
  if (mask !== null) return mask;
  const value = parseIndex(names);
  if (value !== null) return setByNumber(session, value, type);
  session.raise(DATA_TRUNCATED);
  return 0n;
}

/** Whatever is wrong with a number is a truncation here. */
function numberOf(session: CastSession, source: CastSource, tp: number): bigint | null {
  const value = toUnsigned(session, source, tp);
  if (session.fault === null && value !== null) return value;
  session.fault = DATA_TRUNCATED;
  return null;
}

export function castEnum(session: CastSession, source: CastSource, type: FieldTypeInfo, from?: FieldTypeInfo): Datum {
  switch (source.kind) {
    case "bytes":
    case "literal":
      return { kind: "enum", value: enumByName(session, source.value, type) };
    case "enum":
      if (source.value === 0n) return { kind: "enum", value: 0n };
      return { kind: "enum", value: enumByName(session, utf8(enumName(source.value, from ?? type)), type) };
    case "set":
      return { kind: "enum", value: enumByName(session, utf8(setName(source.value, from)), type) };
    default: {
      const value = numberOf(session, source, Tp.enum);
      return { kind: "enum", value: value === null ? 0n : enumByNumber(session, value, type) };
    }
  }
}

/** Null where there is no such conversion. */
export function castSet(
  session: CastSession,
  source: CastSource,
  type: FieldTypeInfo,
  from?: FieldTypeInfo,
): Datum | null {
  switch (source.kind) {
    case "bytes":
    case "literal":
      return { kind: "set", value: setByName(session, source.value, type) };
    case "enum":
      return { kind: "set", value: setByName(session, utf8(enumName(source.value, from)), type) };
    case "set":
      return { kind: "set", value: setByName(session, utf8(setName(source.value, from ?? type)), type) };
    case "vector":
      return null;
    default: {
      const value = numberOf(session, source, Tp.set);
      return { kind: "set", value: value === null ? 0n : setByNumber(session, value, type) };
    }
  }
}
