/** LIKE and ILIKE (TiDB `pkg/util/stringutil`, `pkg/util/collate`). */
import { type Call, type FunctionTable, fn } from "../call.ts";
import { collationOf, sameCharacter } from "../collate.ts";
import { isBinaryString } from "../field-types.ts";
import { as, type Node } from "../node.ts";
import { bytesApart, changeCase, runeAt, runesOf } from "../runes.ts";

const ANY = Symbol("%");
const ONE = Symbol("_");
type Piece = Uint8Array | typeof ANY | typeof ONE;

type Split = (text: Uint8Array) => Uint8Array[];

/** The pattern in pieces; an escape takes away the meaning of what follows. `%_` is `_%`, and several `%` are one. */
export function piecesOf(pattern: Uint8Array, escaper: number, split: Split): Piece[] {
  const units = split(pattern);
  const pieces: Piece[] = [];
  for (let i = 0; i < units.length; i++) {
    const unit = units[i]!;
    const code = runeAt(unit, 0);
    if (code === escaper) {
      if (i + 1 < units.length) i++;
      pieces.push(units[i]!);
    } else if (code === 0x5f) {
      if (pieces[pieces.length - 1] === ANY) pieces.splice(pieces.length - 1, 0, ONE);
      else pieces.push(ONE);
    } else if (code === 0x25) {
      if (pieces[pieces.length - 1] !== ANY) pieces.push(ANY);
    } else pieces.push(unit);
  }
  return pieces;
}

/** Greedy with one place to go back to, so the time is at most the product of the lengths. */
export function matches(
  text: readonly Uint8Array[],
  pieces: readonly Piece[],
  same: (a: Uint8Array, b: Uint8Array) => boolean,
): boolean {
  let t = 0;
  let p = 0;
  let retryText = -1;
  let retryPiece = -1;
  while (t < text.length) {
    const piece = pieces[p];
    if (piece === ANY) {
      retryPiece = ++p;
      retryText = t;
    } else if (piece !== undefined && (piece === ONE || same(piece as Uint8Array, text[t]!))) {
      t++;
      p++;
    } else if (retryPiece >= 0) {
      p = retryPiece;
      t = ++retryText;
    } else return false;
  }
  while (pieces[p] === ANY) p++;
  return p === pieces.length;
}

function like(ignoreCase: boolean): (call: Call) => Node {
  return (call) => {
    const [, , third] = call.exprs;
    const escapeText = third?.kind === "string" ? third.text : "\\";
    const escaper = escapeText === "" ? -1 : escapeText.codePointAt(0)!;
    call.args = call.args.slice(0, 2);
    const isBinary = call.args.some((arg) => isBinaryString(arg.type));
    call.cast("int", "string", "string");
    const [text, pattern] = call.args as [Node, Node];
    const split: Split = isBinary && call.collation.collate === "binary" ? bytesApart : runesOf;
    const same = sameCharacter(collationOf(call.ctx, call.collation.collate));
    const fold = (v: Uint8Array): Uint8Array => (ignoreCase ? changeCase(v, false) : v);
    const fixed = pattern.shape === "const" ? as(pattern, "string").eval([]) : null;
    const known = fixed === null ? undefined : piecesOf(fold(fixed), escaper, split);
    const value = as(text, "string").eval;
    const patternOf = as(pattern, "string").eval;
    return call.bool((row) => {
      const v = value(row);
      if (v === null) return null;
      if (known !== undefined) return matches(split(fold(v)), known, same);
      const p = patternOf(row);
      return p === null ? null : matches(split(fold(v)), piecesOf(fold(p), escaper, split), same);
    });
  };
}

export const likes: FunctionTable = {
  like: fn(like(false), 2, 3),
  ilike: fn(like(true), 2, 3),
};
