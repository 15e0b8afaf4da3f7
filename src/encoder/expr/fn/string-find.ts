/** Lengths of strings and places in them. */
import { type Collation, countRunes } from "../../../codec/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { collationOf, comparer, sortKey } from "../collate.ts";
import { isBinaryString } from "../field-types.ts";
import { as, lift1, lift2, type Node } from "../node.ts";
import { changeCase, indexOfBytes, runeCount, runeOffset, runeSize } from "../runes.ts";

const COMMA = 0x2c;

function length(call: Call): Node {
  const [text] = call.cast("int", "string");
  return call.int(
    lift1(text.eval, (v) => BigInt(v.length)),
    { Flen: 10 },
  );
}

function bitLength(call: Call): Node {
  const [text] = call.cast("int", "string");
  return call.int(
    lift1(text.eval, (v) => BigInt(v.length * 8)),
    { Flen: 10 },
  );
}

function charLength(call: Call): Node {
  const isBinary = isBinaryString(call.args[0]!.type);
  const [text] = call.cast("int", "string");
  return call.int(lift1(text.eval, (v) => BigInt(isBinary ? v.length : countRunes(v, 0, v.length))));
}

function ascii(call: Call): Node {
  const [text] = call.cast("int", "string");
  return call.int(
    lift1(text.eval, (v) => BigInt(v[0] ?? 0)),
    { Flen: 3 },
  );
}

/** The bytes of the first character as a number. */
function ord(call: Call): Node {
  const { type } = call.args[0]!;
  // Characters of latin1 and ascii are one byte each, whatever the bytes are.
  const isSingle = isBinaryString(type) || type.Charset === "latin1" || type.Charset === "ascii";
  const [text] = call.cast("int", "string");
  return call.int(
    lift1(text.eval, (v) => {
      if (v.length === 0) return 0n;
      const size = isSingle ? 1 : runeSize(v, 0);
      let code = 0n;
      for (let i = 0; i < size; i++) code = code * 256n + BigInt(v[i]!);
      return code;
    }),
    { Flen: 10 },
  );
}

/** Place of a part, in characters from 1; 0 if it is not there. Both are looked for as the collation sees them. */
function locateText(collation: Collation, text: Uint8Array, part: Uint8Array): number {
  if (part.length === 0) return 1;
  if (collation.bytewise) {
    const at = indexOfBytes(text, part);
    return at < 0 ? 0 : runeCount(text.subarray(0, at)) + 1;
  }
  const whole = { ...collation, padSpace: false };
  let at = indexOfBytes(sortKey(whole, text), sortKey(whole, part));
  if (at <= 0) return at + 1;
  let count = 0;
  for (let i = 0; i < text.length; ) {
    const size = runeSize(text, i);
    count++;
    at -= sortKey(whole, text.subarray(i, i + size)).length;
    if (at <= 0) return count + 1;
    i += size;
  }
  return 0;
}

/** What finds a part in a text: by bytes if one is a binary string. */
function finder(call: Call, isBinary: boolean): (text: Uint8Array, part: Uint8Array) => number {
  if (isBinary) return (text, part) => indexOfBytes(text, part) + 1;
  const collation = collationOf(call.ctx, call.collation.collate);
  return (text, part) => locateText(collation, text, part);
}

/** LOCATE(part, text[, position]) */
function locate(call: Call): Node {
  const isBinary = isBinaryString(call.args[0]!.type) || isBinaryString(call.args[1]!.type);
  if (call.args.length === 2) {
    const [part, text] = call.cast("int", "string", "string");
    const find = finder(call, isBinary);
    return call.int(lift2(part.eval, text.eval, (p, t) => BigInt(find(t, p))));
  }
  call.cast("int", "string", "string", "int");
  const [part, text, from] = call.args as [Node, Node, Node];
  const find = finder(call, isBinary);
  const count = isBinary ? (v: Uint8Array) => v.length : runeCount;
  return call.int((row) => {
    const p = as(part, "string").eval(row);
    const t = p === null ? null : as(text, "string").eval(row);
    const at = t === null ? null : as(from, "int").eval(row);
    if (p === null || t === null || at === null) return null;
    const start = at - 1n;
    if (start < 0n || start > BigInt(count(t) - count(p))) return 0n;
    if (p.length === 0) return start + 1n;
    const skipped = Number(start);
    const found = find(t.subarray(isBinary ? skipped : runeOffset(t, skipped)), p);
    return found === 0 ? 0n : start + BigInt(found);
  });
}

function instr(call: Call): Node {
  const isBinary = isBinaryString(call.args[0]!.type) || isBinaryString(call.args[1]!.type);
  const [text, part] = call.cast("int", "string", "string");
  // Unlike LOCATE it does not ask the collation, but for case.
  const ignoreCase = !isBinary && /_ci$/.test(call.collation.collate);
  const fold = (v: Uint8Array): Uint8Array => (ignoreCase ? changeCase(v, false) : v);
  return call.int(
    lift2(text.eval, part.eval, (t, p) => {
      const whole = fold(t);
      const at = indexOfBytes(whole, fold(p));
      return BigInt(at < 0 ? 0 : (isBinary ? at : runeCount(whole.subarray(0, at))) + 1);
    }),
    { Flen: 11 },
  );
}

/** Place of a text in a list with commas. */
function findInSet(call: Call): Node {
  const [text, list] = call.cast("int", "string", "string");
  const compare = comparer(collationOf(call.ctx, call.collation.collate));
  return call.int(
    lift2(text.eval, list.eval, (t, l) => {
      if (l.length === 0) return 0n;
      let place = 1n;
      let start = 0;
      for (let at = 0; at <= l.length; at++) {
        if (at < l.length && l[at] !== COMMA) continue;
        if (compare(l.subarray(start, at), t) === 0) return place;
        place++;
        start = at + 1;
      }
      return 0n;
    }),
    { Flen: 3 },
  );
}

export const stringFinders: FunctionTable = {
  length: fn(length, 1),
  octet_length: fn(length, 1),
  bit_length: fn(bitLength, 1),
  char_length: fn(charLength, 1),
  character_length: fn(charLength, 1),
  ascii: fn(ascii, 1),
  ord: fn(ord, 1),
  locate: fn(locate, 2, 3),
  position: fn(locate, 2),
  instr: fn(instr, 2),
  find_in_set: fn(findInSet, 2),
};
