/** Strings compared by a collation. */
import { compareBytes } from "../../base/mod.ts";
import {
  appendSortKey,
  ByteWriter,
  type Collation,
  CollationError,
  findCollation,
  rawCollation,
  trimBlanks,
} from "../../codec/mod.ts";
import { CastError } from "../cast/mod.ts";
import type { ExprContext } from "./context.ts";

export type Compare<T> = (a: T, b: T) => number;

/** The collation of that name as the cluster has it: with new collations off every string is its bytes. */
export function collationOf(ctx: ExprContext, name: string): Collation {
  if (!ctx.session.newCollations) return rawCollation;
  const collation = findCollation(name);
  if (collation === undefined) throw ctx.unsupported(`the collation ${name}`);
  return collation;
}

/** The sort key of a string, in a buffer that the next call with the same writer overwrites. */
function keyInto(out: ByteWriter, collation: Collation, text: Uint8Array): Uint8Array {
  out.clear();
  try {
    appendSortKey(out, collation, text, 0, text.length);
  } catch (thrown) {
    if (!(thrown instanceof CollationError)) throw thrown;
    throw new CastError(0, thrown.message);
  }
  return out.bytes.subarray(0, out.length);
}

export function sortKey(collation: Collation, text: Uint8Array): Uint8Array {
  return keyInto(new ByteWriter(text.length * 2 + 2), collation, text).slice();
}

/** Order of two strings in the collation. */
export function comparer(collation: Collation): Compare<Uint8Array> {
  if (collation.bytewise && !collation.padSpace) return compareBytes;
  if (collation.bytewise) {
    return (a, b) => compareBytes(a.subarray(0, trimBlanks(a, 0, a.length)), b.subarray(0, trimBlanks(b, 0, b.length)));
  }
  const left = new ByteWriter();
  const right = new ByteWriter();
  return (a, b) => compareBytes(keyInto(left, collation, a), keyInto(right, collation, b));
}

const isWide = (c: Uint8Array): boolean => c.length > 0 && c[0]! >= 0xf0;

/** Whether two characters are the same to the collation; blanks are characters like others. */
export function sameCharacter(collation: Collation): (a: Uint8Array, b: Uint8Array) => boolean {
  if (collation.bytewise) return (a, b) => compareBytes(a, b) === 0;
  const compare = comparer({ ...collation, padSpace: false });
  const folds = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0 || compare(a, b) === 0;
  if (!collation.name.endsWith("_unicode_ci")) return folds;
  // Beyond U+FFFF all weigh the same, but patterns tell them apart (TiDB `pkg/util/collate/unicode_4.0.0_ci`).
  return (a, b) => (isWide(a) || isWide(b) ? compareBytes(a, b) === 0 : folds(a, b));
}
