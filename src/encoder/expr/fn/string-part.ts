/** Parts of strings, and strings chosen from lists. */
import { concatBytes, equalBytes, joinBytes, utf8 } from "../../../base/mod.ts";
import { ANY_NUMBER, type Call, type FunctionTable, fn } from "../call.ts";
import { collationOf, comparer } from "../collate.ts";
import { MAX_ALLOWED_PACKET } from "../context.ts";
import { isBinaryString, isStringKind, MAX_BLOB_WIDTH } from "../field-types.ts";
import { as, lift2, lift3, type Node } from "../node.ts";
import { bytesApart, indexOfBytes, runeCount, runeOffset, runesOf } from "../runes.ts";
import type { Eval } from "../value.ts";
import { hybridAware } from "./control.ts";

const EMPTY = new Uint8Array(0);
const COMMA = utf8(",");

/** Units of a text: bytes of a binary string, else characters. */
interface Units {
  count(text: Uint8Array): number;
  offset(text: Uint8Array, n: number): number;
}

const CHARACTERS: Units = { count: runeCount, offset: runeOffset };
const BYTES: Units = { count: (text) => text.length, offset: (text, n) => Math.min(n, text.length) };

function unitsOf(node: Node): Units {
  return isBinaryString(node.type) ? BYTES : CHARACTERS;
}

/** A 64-bit number as a position; what is beyond any text stays so. */
function position(n: bigint): number {
  return n > 4294967296n ? 4294967296 : n < -4294967296n ? -4294967296 : Number(n);
}

function left(call: Call): Node {
  const units = unitsOf(call.args[0]!);
  const [text, length] = call.cast("string", "string", "int");
  return call.string(
    lift2(text.eval, length.eval, (v, n) => v.subarray(0, units.offset(v, Math.max(position(n), 0)))),
    { Flen: text.type.Flen },
  );
}

function right(call: Call): Node {
  const units = unitsOf(call.args[0]!);
  const [text, length] = call.cast("string", "string", "int");
  return call.string(
    lift2(text.eval, length.eval, (v, n) => {
      const count = units.count(v);
      return v.subarray(units.offset(v, count - Math.min(Math.max(position(n), 0), count)));
    }),
    { Flen: text.type.Flen },
  );
}

/** From a position that counts from 1, or from the end where it is negative. */
function part(units: Units, text: Uint8Array, from: number, length: number): Uint8Array {
  const count = units.count(text);
  const start = from < 0 ? from + count : from - 1;
  if (from === 0 || start < 0 || start >= count || length <= 0) return EMPTY;
  const begin = units.offset(text, start);
  return text.subarray(begin, units.offset(text, Math.min(start + length, count)));
}

function substring(call: Call): Node {
  const units = unitsOf(call.args[0]!);
  if (call.args.length === 2) {
    const [text, from] = call.cast("string", "string", "int");
    return call.string(
      lift2(text.eval, from.eval, (v, at) => part(units, v, position(at), Number.POSITIVE_INFINITY)),
      { Flen: text.type.Flen },
    );
  }
  const [text, from, length] = call.cast("string", "string", "int", "int");
  return call.string(
    lift3(text.eval, from.eval, length.eval, (v, at, n) => part(units, v, position(at), position(n))),
    { Flen: text.type.Flen },
  );
}

function splitBytes(text: Uint8Array, by: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let at = indexOfBytes(text, by); at >= 0; at = indexOfBytes(text, by, start)) {
    parts.push(text.subarray(start, at));
    start = at + by.length;
  }
  parts.push(text.subarray(start));
  return parts;
}

/** What stands before the n-th delimiter, or behind the n-th from the end. */
function substringIndex(call: Call): Node {
  const [text, delimiter, count] = call.cast("string", "string", "string", "int");
  return call.string(
    lift3(text.eval, delimiter.eval, count.eval, (v, by, n) => {
      if (by.length === 0 || n === 0n) return EMPTY;
      const parts = splitBytes(v, by);
      const wanted = position(n);
      const kept = wanted > 0 ? parts.slice(0, wanted) : parts.slice(Math.max(parts.length + wanted, 0));
      return joinBytes(kept, by);
    }),
    { Flen: text.type.Flen },
  );
}

function insert(call: Call): Node {
  const isBinary = isBinaryString(call.args[0]!.type) || isBinaryString(call.args[3]!.type);
  const units = isBinary ? BYTES : CHARACTERS;
  const [text, from, length, news] = call.cast("string", "string", "int", "int", "string");
  return call.string(
    (row) => {
      const v = text.eval(row);
      const at = v === null ? null : from.eval(row);
      const n = at === null ? null : length.eval(row);
      const by = n === null ? null : news.eval(row);
      if (v === null || at === null || n === null || by === null) return null;
      const count = units.count(v);
      if (at < 1n || at > BigInt(count)) return v;
      const start = Number(at) - 1;
      const most = count - start;
      const drop = n < 0n || n > BigInt(most) ? most : Number(n);
      if (v.length + by.length > MAX_ALLOWED_PACKET) return call.ctx.tooLong("insert");
      return concatBytes(v.subarray(0, units.offset(v, start)), by, v.subarray(units.offset(v, start + drop)));
    },
    { Flen: MAX_BLOB_WIDTH },
  );
}

function elt(call: Call): Node {
  const kinds = call.args.map((_, i) => (i === 0 ? "int" : "string") as "int" | "string");
  call.cast("string", ...kinds);
  const n = as(call.args[0]!, "int").eval;
  const list = call.args.slice(1).map((arg) => as(arg, "string"));
  return call.string(
    (row) => {
      const at = n(row);
      return at === null || at < 1n || at > BigInt(list.length) ? null : list[Number(at) - 1]!.eval(row);
    },
    { Flen: Math.max(...list.map((arg) => arg.type.Flen)) },
  );
}

/** Place of the first value in the list, 0 if it is not there. */
function field(call: Call): Node {
  const kind = call.args.every((arg) => isStringKind(arg.kind))
    ? "string"
    : call.args.every((arg) => arg.kind === "int")
      ? "int"
      : "real";
  call.castAll("int", kind);
  const [value, ...list] = call.args.map((arg) => as(arg, kind).eval as Eval<unknown>);
  const compare = kind === "string" ? comparer(collationOf(call.ctx, call.collation.collate)) : undefined;
  return call.int(
    (row) => {
      const v = value!(row);
      if (v === null) return 0n;
      for (let i = 0; i < list.length; i++) {
        const item = list[i]!(row);
        if (item === null) continue;
        if (compare === undefined ? item === v : compare(v as Uint8Array, item as Uint8Array) === 0)
          return BigInt(i + 1);
      }
      return 0n;
    },
    { Flen: 3 },
  );
}

function makeSet(call: Call): Node {
  const kinds = call.args.map((_, i) => (i === 0 ? "int" : "string") as "int" | "string");
  call.cast("string", ...kinds);
  const bits = as(call.args[0]!, "int").eval;
  const list = call.args.slice(1).map((arg) => as(arg, "string").eval);
  return call.string((row) => {
    const mask = bits(row);
    if (mask === null) return null;
    const parts: Uint8Array[] = [];
    list.forEach((item, i) => {
      if (((mask >> BigInt(i)) & 1n) === 0n) return;
      const text = item(row);
      if (text !== null) parts.push(text);
    });
    return joinBytes(parts, COMMA);
  });
}

/** EXPORT_SET(bits, on, off[, separator[, number of bits]]) */
function exportSet(call: Call): Node {
  const kinds = (["int", "string", "string", "string", "int"] as const).slice(0, call.args.length);
  call.cast("string", ...kinds);
  const [bits, on, off, separator, count] = call.args as [Node, Node, Node, Node?, Node?];
  return call.string((row) => {
    const mask = as(bits, "int").eval(row);
    const yes = mask === null ? null : as(on, "string").eval(row);
    const no = yes === null ? null : as(off, "string").eval(row);
    const by = separator === undefined ? COMMA : as(separator, "string").eval(row);
    const n = count === undefined ? 64n : as(count, "int").eval(row);
    if (mask === null || yes === null || no === null || by === null || n === null) return null;
    const size = n < 0n || n > 64n ? 64 : Number(n);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < size; i++) parts.push(((mask >> BigInt(i)) & 1n) === 0n ? no : yes);
    return joinBytes(parts, by);
  });
}

/** Each character of `from` becomes that of `to` in the same place, or nothing. */
function translate(call: Call): Node {
  const isBinary = call.args.some((arg) => isBinaryString(arg.type));
  const units = isBinary ? bytesApart : runesOf;
  const [text, from, to] = call.cast("string", "string", "string", "string");
  return call.string(
    lift3(text.eval, from.eval, to.eval, (v, olds, news) => {
      const sources = units(olds);
      const targets = units(news);
      return concatBytes(
        ...units(v).map((unit) => {
          const at = sources.findIndex((source) => equalBytes(source, unit));
          return at < 0 ? unit : (targets[at] ?? EMPTY);
        }),
      );
    }),
    { Flen: text.type.Flen },
  );
}

export const stringParts: FunctionTable = {
  left: fn(left, 2),
  right: fn(right, 2),
  substring: fn(substring, 2, 3),
  substr: fn(substring, 2, 3),
  mid: fn(substring, 2, 3),
  substring_index: fn(substringIndex, 3),
  insert: fn(insert, 4),
  insert_func: fn(insert, 4),
  elt: fn((call) => hybridAware(call, [...call.args.keys()].slice(1), elt), 2, ANY_NUMBER),
  field: fn(field, 2, ANY_NUMBER),
  make_set: fn(makeSet, 2, ANY_NUMBER),
  export_set: fn(exportSet, 3, 5),
  translate: fn(translate, 3),
};
