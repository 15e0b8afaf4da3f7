/** Strings joined, repeated, padded and trimmed (TiDB `pkg/expression/builtin_string.go`). */
import { concatBytes, joinBytes } from "../../../base/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import { ANY_NUMBER, type Call, type FunctionTable, fn } from "../call.ts";
import { MAX_ALLOWED_PACKET } from "../context.ts";
import { isBinaryString, MAX_BLOB_WIDTH } from "../field-types.ts";
import { lift1, lift2, lift3, type Node, type NodeOf } from "../node.ts";
import { changeCase, indexOfBytes, runeCount, runeOffset, runesOf, startsWithAt } from "../runes.ts";
import type { Eval } from "../value.ts";

const EMPTY = new Uint8Array(0);
const SPACE = Uint8Array.of(0x20);

/** The sum of the arguments' lengths; a long one makes a BLOB of the result. */
function sumOfLengths(args: readonly Node[]): { Flen: number } {
  let flen = 0;
  for (const arg of args) {
    if (arg.type.Flen < 0) return { Flen: MAX_BLOB_WIDTH };
    flen += arg.type.Flen;
  }
  return { Flen: Math.min(flen, MAX_BLOB_WIDTH) };
}

function concat(call: Call): Node {
  const args = call.castAll("string", "string");
  const [a, b] = args.map((arg) => arg.eval);
  if (args.length === 2)
    return call.string(
      lift2(a!, b!, (x, y) => concatBytes(x, y)),
      sumOfLengths(args),
    );
  return call.string((row) => {
    const parts: Uint8Array[] = [];
    for (const arg of args) {
      const part = arg.eval(row);
      if (part === null) return null;
      parts.push(part);
    }
    return joined(call, parts, EMPTY);
  }, sumOfLengths(args));
}

function joined(call: Call, parts: readonly Uint8Array[], separator: Uint8Array): Uint8Array | null {
  let size = separator.length * Math.max(parts.length - 1, 0);
  for (const part of parts) size += part.length;
  return size > MAX_ALLOWED_PACKET ? call.ctx.tooLong(call.name) : joinBytes(parts, separator);
}

/** NULLs behind the separator are left out. */
function concatWs(call: Call): Node {
  const [separator, ...args] = call.castAll("string", "string");
  return call.string(
    lift1WithRow(separator!.eval, (by, row) => {
      const parts: Uint8Array[] = [];
      for (const arg of args) {
        const part = arg.eval(row);
        if (part !== null) parts.push(part);
      }
      return joined(call, parts, by);
    }),
    sumOfLengths(call.args),
  );
}

function lift1WithRow<A, R>(a: Eval<A>, f: (a: A, row: Parameters<Eval<A>>[0]) => R | null): Eval<R> {
  return (row) => {
    const x = a(row);
    return x === null ? null : f(x, row);
  };
}

function changed(upper: boolean): (call: Call) => Node {
  return (call) => {
    const [text] = call.cast("string", "string");
    const flen = { Flen: text.type.Flen };
    if (isBinaryString(text.type)) return call.string(text.eval, flen);
    return call.string(
      lift1(text.eval, (v) => changeCase(v, upper)),
      flen,
    );
  };
}

function reverse(call: Call): Node {
  const [text] = call.cast("string", "string");
  const isBinary = isBinaryString(text.type);
  return call.string(
    lift1(text.eval, (v) => (isBinary ? v.slice().reverse() : joinBytes(runesOf(v).reverse()))),
    { Flen: text.type.Flen },
  );
}

function repeat(call: Call): Node {
  const [text, times] = call.cast("string", "string", "int");
  return call.string(
    lift2(text.eval, times.eval, (v, n) => {
      if (n < 1n || v.length === 0) return EMPTY;
      const count = Number(n > 2147483647n ? 2147483647n : n);
      if (v.length * count > MAX_ALLOWED_PACKET) return call.ctx.tooLong("repeat");
      if (v.length > Math.floor(MAX_BLOB_WIDTH / count)) return null;
      const out = new Uint8Array(v.length * count);
      for (let i = 0; i < count; i++) out.set(v, i * v.length);
      return out;
    }),
    { Tp: Tp.longblob, Flen: MAX_BLOB_WIDTH },
  );
}

function space(call: Call): Node {
  const [times] = call.cast("string", "int");
  return call.string(
    lift1(times.eval, (n) => {
      const count = n < 0n ? 0 : Number(n);
      if (count > MAX_ALLOWED_PACKET) return call.ctx.tooLong("space");
      return count > MAX_BLOB_WIDTH ? null : new Uint8Array(count).fill(0x20);
    }),
    { Tp: Tp.longblob, Flen: MAX_BLOB_WIDTH },
  );
}

function replaceAll(text: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  if (from.length === 0) return text;
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let at = indexOfBytes(text, from); at >= 0; at = indexOfBytes(text, from, start)) {
    parts.push(text.subarray(start, at), to);
    start = at + from.length;
  }
  if (parts.length === 0) return text;
  parts.push(text.subarray(start));
  return joinBytes(parts);
}

function replace(call: Call): Node {
  const [text, from, to] = call.cast("string", "string", "string", "string");
  return call.string(lift3(text.eval, from.eval, to.eval, replaceAll), { Flen: text.type.Flen });
}

function trimStart(text: Uint8Array, part: Uint8Array): Uint8Array {
  let at = 0;
  while (part.length > 0 && startsWithAt(text, part, at)) at += part.length;
  return text.subarray(at);
}

function trimEnd(text: Uint8Array, part: Uint8Array): Uint8Array {
  let end = text.length;
  while (part.length > 0 && end >= part.length && startsWithAt(text, part, end - part.length)) end -= part.length;
  return text.subarray(0, end);
}

type Trim = (text: Uint8Array, part: Uint8Array) => Uint8Array;
const trimBoth: Trim = (text, part) => trimEnd(trimStart(text, part), part);

/** TRIM([[direction] [part] FROM] text): what is cut is spaces if no part is named. */
function trim(call: Call): Node {
  const word = call.exprs.find((expr) => expr.kind === "keyword");
  const direction = word?.kind === "keyword" ? word.word : "BOTH";
  const cut = direction === "LEADING" ? trimStart : direction === "TRAILING" ? trimEnd : trimBoth;
  const part = call.args[1];
  if (part === undefined) {
    call.args = call.args.slice(0, 1);
    return trimSpaces(cut)(call);
  }
  const [text, remove] = call.cast("string", "string", "string");
  return call.string(lift2(text.eval, remove.eval, cut), { Flen: text.type.Flen });
}

function trimSpaces(cut: Trim): (call: Call) => Node {
  return (call) => {
    const [text] = call.cast("string", "string");
    return call.string(
      lift1(text.eval, (v) => cut(v, SPACE)),
      { Flen: text.type.Flen },
    );
  };
}

/** The text filled up to that length, in bytes or characters, or cut to it. */
function padded(
  text: Uint8Array,
  length: number,
  pad: Uint8Array,
  left: boolean,
  isBinary: boolean,
): Uint8Array | null {
  const own = isBinary ? text.length : runeCount(text);
  if (own >= length) return text.subarray(0, isBinary ? length : runeOffset(text, length));
  if (pad.length === 0) return null;
  const missing = length - own;
  const unit = isBinary ? pad.length : runeCount(pad);
  const whole = Math.floor(missing / unit);
  const rest = missing % unit;
  const tail = pad.subarray(0, isBinary ? rest : runeOffset(pad, rest));
  const filling = new Uint8Array(whole * pad.length + tail.length);
  for (let i = 0; i < whole; i++) filling.set(pad, i * pad.length);
  filling.set(tail, whole * pad.length);
  return left ? concatBytes(filling, text) : concatBytes(text, filling);
}

function lengthFor(node: NodeOf<"int">): number {
  const length = node.shape === "const" ? node.eval([]) : null;
  return length === null || length > BigInt(MAX_BLOB_WIDTH) ? MAX_BLOB_WIDTH : Number(length) * 4;
}

function pad(left: boolean): (call: Call) => Node {
  return (call) => {
    const isBinary = isBinaryString(call.args[0]!.type) || isBinaryString(call.args[2]!.type);
    const [text, length, filling] = call.cast("string", "string", "int", "string");
    const limit = Math.max(lengthFor(length), 0);
    return call.string(
      lift3(text.eval, length.eval, filling.eval, (v, n, by) => {
        if (n < 0n || n > BigInt(MAX_BLOB_WIDTH)) return n < 0n ? null : call.ctx.tooLong(call.name);
        const count = Number(n);
        if ((isBinary ? count : count * 4) > Math.max(limit, MAX_BLOB_WIDTH)) return null;
        return padded(v, count, by, left, isBinary);
      }),
      { Flen: limit },
    );
  };
}

export const stringBasics: FunctionTable = {
  concat: fn(concat, 1, ANY_NUMBER),
  concat_ws: fn(concatWs, 2, ANY_NUMBER),
  lower: fn(changed(false), 1),
  lcase: fn(changed(false), 1),
  upper: fn(changed(true), 1),
  ucase: fn(changed(true), 1),
  reverse: fn(reverse, 1),
  repeat: fn(repeat, 2),
  space: fn(space, 1),
  replace: fn(replace, 3),
  trim: fn(trim, 1, 2),
  ltrim: fn(trimSpaces(trimStart), 1),
  rtrim: fn(trimSpaces(trimEnd), 1),
  lpad: fn(pad(true), 3),
  rpad: fn(pad(false), 3),
};
