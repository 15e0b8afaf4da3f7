/**
 * Sort keys of TiDB's collations (`pkg/util/collate`). With new collations switched off in a cluster every string sorts by its
 * bytes; the callers then use `rawCollation`.
 */
import type { ByteWriter } from "./byte-writer.ts";
import { WeightTable } from "./collation-weights.ts";
import { utf8SequenceLength } from "./utf8.ts";
import { GBK_BIN } from "./weights/gbk-bin.ts";
import { GBK_CHINESE_CI } from "./weights/gbk-chinese-ci.ts";
import { UTF8MB4_0900_AI_CI } from "./weights/utf8mb4-0900-ai-ci.ts";
import { UTF8MB4_GENERAL_CI } from "./weights/utf8mb4-general-ci.ts";
import { UTF8MB4_UNICODE_CI } from "./weights/utf8mb4-unicode-ci.ts";

/** Thrown where TiDB itself fails: a sequence cut short at the end of a string under a weighted collation. */
export class CollationError extends Error {
  override readonly name = "CollationError";
}

export interface Collation {
  readonly name: string;
  /** MySQL's number. */
  readonly id: number;
  /** Trailing blanks do not count. */
  readonly padSpace: boolean;
  /** The key is the string's bytes (without trailing blanks where `padSpace`). */
  readonly bytewise: boolean;
  /** Member of TiDB's `IsBinCollation`: restored data holds a count of blanks. */
  readonly bin: boolean;
  /** Weights, decoded at first use; undefined for bytewise collations. */
  readonly weights: (() => WeightTable) | undefined;
  /** gbk_bin: a sequence that is not valid UTF-8 gives 3f as a whole. */
  readonly strictUtf8: boolean;
}

const tables = new Map<string, WeightTable>();

function lazily(data: string): () => WeightTable {
  return () => {
    let table = tables.get(data);
    if (table === undefined) {
      table = WeightTable.decode(data, data === UTF8MB4_0900_AI_CI);
      tables.set(data, table);
    }
    return table;
  };
}

function bytewise(name: string, id: number, padSpace: boolean): Collation {
  return { name, id, padSpace, bytewise: true, bin: true, weights: undefined, strictUtf8: false };
}

function weighted(name: string, id: number, padSpace: boolean, data: string): Collation {
  return { name, id, padSpace, bytewise: false, bin: false, weights: lazily(data), strictUtf8: name === "gbk_bin" };
}

const ALL: readonly Collation[] = [
  bytewise("binary", 63, false),
  bytewise("ascii_bin", 65, true),
  bytewise("latin1_bin", 47, true),
  bytewise("utf8_bin", 83, true),
  bytewise("utf8mb4_bin", 46, true),
  bytewise("utf8mb4_0900_bin", 309, false),
  weighted("utf8_general_ci", 33, true, UTF8MB4_GENERAL_CI),
  weighted("utf8mb4_general_ci", 45, true, UTF8MB4_GENERAL_CI),
  weighted("utf8_unicode_ci", 192, true, UTF8MB4_UNICODE_CI),
  weighted("utf8mb4_unicode_ci", 224, true, UTF8MB4_UNICODE_CI),
  weighted("utf8mb4_0900_ai_ci", 255, false, UTF8MB4_0900_AI_CI),
  weighted("gbk_bin", 87, true, GBK_BIN),
  weighted("gbk_chinese_ci", 28, true, GBK_CHINESE_CI),
];

const byName = new Map(ALL.map((c) => [c.name, c]));

/** Every string sorts by its bytes: binary columns, and all columns with new collations switched off. */
export const rawCollation: Collation = byName.get("binary")!;

/** Undefined for a collation that has no sort key here (with new collations on, TiDB has no other). */
export function findCollation(name: string): Collation | undefined {
  return byName.get(name);
}

/** Offset behind the last byte that is not 0x20. */
export function trimBlanks(source: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && source[at - 1] === 0x20) at--;
  return at;
}

/** Appends the sort key of `source[start, end)`; throws CollationError where TiDB fails. */
export function appendSortKey(
  out: ByteWriter,
  collation: Collation,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  const stop = collation.padSpace ? trimBlanks(source, start, end) : end;
  if (collation.weights === undefined) out.slice(source, start, stop);
  else if (collation.strictUtf8) appendGbkBin(out, collation.weights(), source, start, stop);
  else appendWeights(out, collation.weights(), source, start, stop);
}

/** Length that TiDB's decoder takes from the lead byte alone. */
function pieceLength(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function cutShort(): CollationError {
  return new CollationError("a UTF-8 sequence ends too early");
}

/** Code points are taken from the lead byte and six bits of each byte that follows, whatever it is, as TiDB does. */
function appendWeights(out: ByteWriter, table: WeightTable, source: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const lead = source[at]!;
    const size = pieceLength(lead);
    if (at + size > end) throw cutShort();
    let codePoint = lead;
    if (size === 2) codePoint = ((lead & 0x1f) << 6) | (source[at + 1]! & 0x3f);
    else if (size === 3) {
      codePoint = ((lead & 0x0f) << 12) | ((source[at + 1]! & 0x3f) << 6) | (source[at + 2]! & 0x3f);
    } else if (size === 4) {
      codePoint =
        ((lead & 0x07) << 18) |
        ((source[at + 1]! & 0x3f) << 12) |
        ((source[at + 2]! & 0x3f) << 6) |
        (source[at + 3]! & 0x3f);
    }
    at += size;
    appendEntry(out, table, codePoint);
  }
}

function appendEntry(out: ByteWriter, table: WeightTable, codePoint: number): void {
  const entry = table.entry(codePoint);
  const count = entry >>> 24;
  for (let i = 0; i < count; i++) {
    const weight = count === 1 ? entry & 0xffff : table.pool[(entry & 0xffffff) + i]!;
    if (table.shortUnits && weight < 0x100) out.u8(weight);
    else out.u16be(weight);
  }
}

function appendGbkBin(out: ByteWriter, table: WeightTable, source: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const size = pieceLength(source[at]!);
    if (at + size > end) throw cutShort();
    const codePoint = validCodePoint(source, at, size);
    if (codePoint < 0) out.u8(0x3f);
    else appendEntry(out, table, codePoint);
    at += size;
  }
}

/** Code point of the piece, -1 where it is not one valid UTF-8 sequence. */
function validCodePoint(source: Uint8Array, at: number, size: number): number {
  if (utf8SequenceLength(source, at, at + size) !== size) return -1;
  if (size === 1) return source[at]!;
  let value = source[at]! & (0x7f >> size);
  for (let i = 1; i < size; i++) value = (value << 6) | (source[at + i]! & 0x3f);
  return value;
}
