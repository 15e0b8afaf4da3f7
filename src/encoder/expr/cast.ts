/** CAST, and the casts that functions put around their arguments (TiDB `pkg/expression/builtin_cast.go`). */
import { utf8 } from "../../base/mod.ts";
import {
  JsonError,
  JsonType,
  packCoreTime,
  parseJson,
  writeDouble,
  writeInt,
  writeLiteral,
  writeOpaque,
  writeString,
  writeTime,
} from "../../codec/mod.ts";
import { type FieldTypeInfo, Flag, Tp } from "../../schema/mod.ts";
import { CastError, decimalToFloat } from "../cast/mod.ts";
import { decimalEval, intEval, realEval } from "./cast-number.ts";
import { durationEval, timeEval } from "./cast-temporal.ts";
import { stringEval } from "./cast-text.ts";
import { callNode, constNode } from "./const.ts";
import type { ExprContext } from "./context.ts";
import { shownDec } from "./dec.ts";
import {
  DEFAULT_CHARSET,
  DEFAULT_COLLATION,
  fieldType,
  hasFlag,
  isBinaryString,
  kindOf,
  limitFlen,
  limitScale,
  MAX_BLOB_WIDTH,
  MAX_DECIMAL_WIDTH,
  MAX_INT_WIDTH,
  MAX_REAL_WIDTH,
} from "./field-types.ts";
import { as, Coercibility, lift1, type Node, type NodeOf } from "./node.ts";
import type { Eval, Kind, Time, ValueOf } from "./value.ts";

/** Text as a JSON document; CastError 3140 and its kin. */
export function jsonOfText(text: Uint8Array): Uint8Array {
  try {
    return parseJson(text);
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    throw new CastError(thrown.mysqlCode, thrown.message);
  }
}

export function jsonOfTime(t: Time): Uint8Array {
  if (t.tp === Tp.date) return writeInt(JsonType.date, packCoreTime(t, "date", 0) & ~0xfn);
  const [type, kind] =
    t.tp === Tp.timestamp ? ([JsonType.timestamp, "timestamp"] as const) : ([JsonType.datetime, "datetime"] as const);
  return writeInt(type, packCoreTime(t, kind, 0) & ~0xfn);
}

function binaryAsJson(bytes: Uint8Array, type: FieldTypeInfo): Uint8Array {
  if (type.Tp !== Tp.string || bytes.length >= type.Flen) return writeOpaque(type.Tp, bytes);
  const padded = new Uint8Array(type.Flen);
  padded.set(bytes);
  return writeOpaque(type.Tp, padded);
}

/** `parse`: text is a document; else it becomes a JSON string. */
export function jsonEval(arg: Node, parse: boolean): Eval<Uint8Array> {
  switch (arg.kind) {
    case "int": {
      if (hasFlag(arg.type, Flag.isBoolean)) return lift1(arg.eval, (v) => writeLiteral(v !== 0n));
      const isUnsigned = hasFlag(arg.type, Flag.unsigned) || arg.type.Tp === Tp.year;
      const type = isUnsigned ? JsonType.uint64 : JsonType.int64;
      return lift1(arg.eval, (v) => writeInt(type, v));
    }
    case "real":
      return lift1(arg.eval, writeDouble);
    case "decimal":
      return lift1(arg.eval, (v) => writeDouble(decimalToFloat(shownDec(v))));
    case "string":
      if (isBinaryString(arg.type)) return lift1(arg.eval, (v) => binaryAsJson(v, arg.type));
      return lift1(arg.eval, parse ? jsonOfText : writeString);
    case "time":
      return lift1(arg.eval, jsonOfTime);
    case "duration":
      return lift1(arg.eval, (v) => writeTime(v.nanos, 6));
    case "json":
      return arg.eval;
  }
}

/** `parse` is of meaning for JSON only, see `jsonEval`. */
function castEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo, parse: boolean): Eval<ValueOf[Kind]> {
  switch (kindOf(type)) {
    case "int":
      return intEval(ctx, arg, type);
    case "real":
      return realEval(ctx, arg, type);
    case "decimal":
      return decimalEval(ctx, arg, type);
    case "string":
      return stringEval(ctx, arg, type);
    case "time":
      return timeEval(ctx, arg, type);
    case "duration":
      return durationEval(ctx, arg, type);
    case "json":
      return jsonEval(arg, parse);
  }
}

/** The value as that type. The result holds to its collation as the argument does. */
export function castTo(ctx: ExprContext, arg: Node, type: FieldTypeInfo, parse = true): Node {
  const kind = kindOf(type);
  if (arg.recast !== undefined && (kind === "int" || kind === "real")) {
    // TiDB TryPushCastIntoControlFunctionForHybridType.
    return castTo(
      ctx,
      arg.recast((node) => (kind === "int" ? toInt(ctx, node) : toReal(ctx, node))),
      type,
    );
  }
  const { coercibility, repertoire } = arg;
  return callNode(ctx, {
    name: "cast",
    kind,
    type: { ...type, Flag: type.Flag & ~(hasFlag(arg.type, Flag.notNull) ? 0 : Flag.notNull) },
    args: [arg],
    eval: castEval(ctx, arg, type, parse),
    coercibility,
    repertoire,
  });
}

const signFlags = (node: Node): number => Flag.binary | (node.type.Flag & (Flag.unsigned | Flag.notNull));

export function toInt(ctx: ExprContext, node: Node): NodeOf<"int"> {
  if (node.kind === "int") return node as NodeOf<"int">;
  const type = fieldType(Tp.longlong, { Flag: signFlags(node), Flen: node.type.Flen, Decimal: 0 });
  return as(castTo(ctx, node, type), "int");
}

export function toReal(ctx: ExprContext, node: Node): NodeOf<"real"> {
  if (node.kind === "real") return node as NodeOf<"real">;
  return as(castTo(ctx, node, fieldType(Tp.double, { Flag: signFlags(node), Flen: MAX_REAL_WIDTH })), "real");
}

const DIGITS_OF_INTEGERS: Record<number, number> = {
  [Tp.tiny]: 3,
  [Tp.short]: 5,
  [Tp.int24]: 8,
  [Tp.long]: 10,
  [Tp.longlong]: 20,
  [Tp.year]: 4,
};

export function toDecimal(ctx: ExprContext, node: Node): NodeOf<"decimal"> {
  if (node.kind === "decimal") return node as NodeOf<"decimal">;
  const type = fieldType(Tp.newdecimal, { Flag: signFlags(node) });
  type.Flen = limitFlen(type, node.type.Flen);
  type.Decimal = limitScale(type, node.type.Decimal);
  if (node.kind === "int") {
    type.Flen = DIGITS_OF_INTEGERS[node.type.Tp] ?? MAX_INT_WIDTH;
    type.Decimal = 0;
  }
  if (type.Flen < 0) type.Flen = MAX_DECIMAL_WIDTH;
  return as(castTo(ctx, node, type), "decimal");
}

export function toText(ctx: ExprContext, node: Node): NodeOf<"string"> {
  if (node.kind === "string") return node as NodeOf<"string">;
  const { Tp: tp, Flen } = node.type;
  let flen = Flen;
  if (tp === Tp.newdecimal && flen >= 0) flen += 3;
  if (node.kind === "int") flen = tp === Tp.bit ? (Flen + 7) >> 3 : MAX_INT_WIDTH;
  if (node.kind === "real") flen = -1;
  const explicit = node.coercibility === Coercibility.explicit;
  const type = fieldType(Tp.varstring, {
    Flag: 0,
    Flen: flen,
    Charset: explicit ? node.type.Charset : DEFAULT_CHARSET,
    Collate: explicit ? node.type.Collate : DEFAULT_COLLATION,
  });
  return as(castTo(ctx, node, type), "string");
}

function fspFor(node: Node): number {
  switch (node.kind) {
    case "int":
      return 0;
    case "time":
    case "duration":
      return Math.max(node.type.Decimal, 0);
    case "decimal":
      return Math.min(Math.max(node.type.Decimal, 0), 6);
    default:
      return 6;
  }
}

/** `tp`: DATETIME unless a function asks for another. */
export function toTime(ctx: ExprContext, node: Node, tp: number = Tp.datetime): NodeOf<"time"> {
  const own = node.type.Tp;
  if (own === tp || ((own === Tp.date || own === Tp.timestamp) && tp === Tp.datetime)) return as(node, "time");
  const fsp = fspFor(node);
  const flen = tp === Tp.date ? 10 : 19 + (fsp > 0 ? fsp + 1 : 0);
  return as(castTo(ctx, node, fieldType(tp, { Flen: flen, Decimal: fsp })), "time");
}

export function toDuration(ctx: ExprContext, node: Node): NodeOf<"duration"> {
  if (node.kind === "duration") return node as NodeOf<"duration">;
  const fsp = node.kind === "time" ? Math.max(node.type.Decimal, 0) : 6;
  const type = fieldType(Tp.duration, { Flen: 10 + (fsp > 0 ? fsp + 1 : 0), Decimal: fsp });
  return as(castTo(ctx, node, type), "duration");
}

/** `parse`: see `jsonEval`. */
export function toJson(ctx: ExprContext, node: Node, parse = true): NodeOf<"json"> {
  if (node.kind === "json") return node as NodeOf<"json">;
  if (node.type.Tp === Tp.null) return as(constNode("json", jsonType(), null), "json");
  return as(castTo(ctx, node, jsonType(), parse), "json");
}

export function jsonType(): FieldTypeInfo {
  return fieldType(Tp.json, { Flen: MAX_BLOB_WIDTH, Charset: DEFAULT_CHARSET, Collate: DEFAULT_COLLATION });
}

/** The argument as a function of that kind takes it. */
export function toKind(ctx: ExprContext, node: Node, kind: Kind): Node {
  switch (kind) {
    case "int":
      return toInt(ctx, node);
    case "real":
      return toReal(ctx, node);
    case "decimal":
      return toDecimal(ctx, node);
    case "string":
      return toText(ctx, node);
    case "time":
      return toTime(ctx, node);
    case "duration":
      return toDuration(ctx, node);
    case "json":
      return toJson(ctx, node);
  }
}

/** A text constant of the connection's character set. */
export function textConst(text: string): Node {
  const value = utf8(text);
  const type = fieldType(Tp.varstring, {
    Flag: Flag.notNull,
    Flen: value.length,
    Charset: DEFAULT_CHARSET,
    Collate: DEFAULT_COLLATION,
  });
  return constNode("string", type, value);
}
