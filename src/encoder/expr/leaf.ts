/** Columns and literals. */
import { utf8 } from "../../base/mod.ts";
import { parseDecimal } from "../../codec/mod.ts";
import { type ColumnInfo, type Expr, type FieldTypeInfo, Flag, Tp } from "../../schema/mod.ts";
import {
  bitBytes,
  bytesToUint,
  CastError,
  MAX_INT64,
  MAX_UINT64,
  parseDuration,
  parseTime,
  setName,
} from "../cast/mod.ts";
import { constNode } from "./const.ts";
import type { ExprContext } from "./context.ts";
import { dec } from "./dec.ts";
import { DEFAULT_CHARSET, DEFAULT_COLLATION, fieldType, kindOf } from "./field-types.ts";
import { Coercibility, type Node, type NodeOf, Repertoire } from "./node.ts";
import { timeOfDatum } from "./time-value.ts";
import type { Eval, Kind, ValueOf } from "./value.ts";

const EMPTY = new Uint8Array(0);

function enumText(type: FieldTypeInfo, offset: number): Eval<Uint8Array> {
  const names = (type.Elems ?? []).map(utf8);
  return (row) => {
    const d = row[offset]!;
    return d.kind === "enum" ? (d.value === 0n ? EMPTY : (names[Number(d.value) - 1] ?? EMPTY)) : null;
  };
}

function numberBehind(offset: number): Eval<bigint> {
  return (row) => {
    const d = row[offset]!;
    return d.kind === "enum" || d.kind === "set" || d.kind === "bit" ? d.value : null;
  };
}

/** Reads the column's datum. */
function columnEval(type: FieldTypeInfo, at: number): Eval<ValueOf[Kind]> {
  switch (kindOf(type)) {
    case "int":
      return (row) => {
        const d = row[at]!;
        return d.kind === "int" || d.kind === "uint" || d.kind === "bit" ? d.value : null;
      };
    case "real":
      return (row) => {
        const d = row[at]!;
        return d.kind === "float" ? d.value : null;
      };
    case "decimal":
      return (row) => {
        const d = row[at]!;
        return d.kind === "decimal" ? dec(d.value) : null;
      };
    case "time":
      return (row) => {
        const d = row[at]!;
        return d.kind === "time" ? timeOfDatum(d) : null;
      };
    case "duration":
      return (row) => {
        const d = row[at]!;
        return d.kind === "duration" ? { nanos: d.nanos, fsp: d.fsp } : null;
      };
    case "json":
      return (row) => {
        const d = row[at]!;
        return d.kind === "json" ? d.value : null;
      };
    case "string":
      return (row) => {
        const d = row[at]!;
        return d.kind === "bytes" ? d.value : null;
      };
  }
}

export function columnNode(ctx: ExprContext, column: ColumnInfo): Node {
  const { type, offset } = column;
  if (type.Tp === Tp.vector || type.Tp === Tp.geometry) {
    throw ctx.unsupported(`expressions of the type of column "${column.name.O}"`);
  }
  const kind = kindOf(type);
  const isText = kind === "string" || kind === "json";
  const node: NodeOf<Kind> = {
    kind,
    type,
    eval: columnEval(type, offset),
    shape: "column",
    name: column.name.L,
    args: [],
    coercibility: isText || type.Tp === Tp.bit ? Coercibility.implicit : Coercibility.numeric,
    repertoire: isText && type.Charset !== "ascii" ? Repertoire.unicode : Repertoire.ascii,
    source: (row) => row[offset]!,
    text: () => `${ctx.table.name.L}.${column.name.L}`,
  };
  switch (type.Tp) {
    case Tp.enum:
      return { ...node, eval: enumText(type, offset), asInt: numberBehind(offset) } as unknown as Node;
    case Tp.set: {
      const text: Eval<Uint8Array> = (row) => {
        const d = row[offset]!;
        return d.kind === "set" ? utf8(setName(d.value, type)) : null;
      };
      return { ...node, eval: text, asInt: numberBehind(offset) } as unknown as Node;
    }
    case Tp.bit: {
      const bytes: Eval<Uint8Array> = (row) => {
        const d = row[offset]!;
        return d.kind === "bit" ? bitBytes(d.value, type.Flen) : null;
      };
      return { ...node, asInt: numberBehind(offset), asBytes: bytes } as unknown as Node;
    }
    default:
      return node as unknown as Node;
  }
}

export function intConst(value: bigint, change: Partial<FieldTypeInfo> = {}): Node {
  const unsigned = value > MAX_INT64 ? Flag.unsigned : 0;
  const type = fieldType(Tp.longlong, {
    Flag: Flag.binary | Flag.notNull | unsigned,
    Flen: String(value).length,
    Decimal: 0,
    ...change,
  });
  return constNode("int", type, value);
}

export function nullConst(): Node {
  return constNode("string", fieldType(Tp.null, { Flen: 0, Decimal: 0 }), null);
}

function decimalConst(text: string): Node {
  const value = parseDecimal(text)!;
  const type = fieldType(Tp.newdecimal, {
    Flag: Flag.binary | Flag.notNull,
    Flen: text.replace("-", "").length + 1,
    Decimal: value.scale,
  });
  return constNode("decimal", type, dec(value));
}

const DEFAULT_COLLATIONS: Record<string, string> = {
  utf8mb4: DEFAULT_COLLATION,
  utf8: "utf8_bin",
  utf8mb3: "utf8_bin",
  ascii: "ascii_bin",
  latin1: "latin1_bin",
  binary: "binary",
  gbk: "gbk_chinese_ci",
};

/** Character set and its default collation; undefined for unknown sets. */
export function charsetNames(charset: string): { Charset: string; Collate: string } | undefined {
  const name = charset.toLowerCase();
  const Collate = DEFAULT_COLLATIONS[name];
  return Collate === undefined ? undefined : { Charset: name === "utf8mb3" ? "utf8" : name, Collate };
}

function stringConst(ctx: ExprContext, text: string, charset: string | undefined): Node {
  const names = charsetNames(charset ?? DEFAULT_CHARSET);
  if (names === undefined) throw ctx.unsupported(`the character set "${charset}" of a literal`);
  const value = utf8(text);
  const flag = Flag.notNull | (names.Charset === "binary" ? Flag.binary : 0);
  return constNode("string", fieldType(Tp.varstring, { Flag: flag, Flen: value.length, ...names }), value);
}

function binaryConst(ctx: ExprContext, bytes: Uint8Array, kind: "hex" | "bit", charset: string | undefined): Node {
  const names = charset === undefined ? undefined : charsetNames(charset);
  if (charset !== undefined && names === undefined) {
    throw ctx.unsupported(`the character set "${charset}" of a literal`);
  }
  const type = fieldType(Tp.varstring, {
    Flag: Flag.binary | Flag.notNull | (kind === "hex" ? Flag.unsigned : 0),
    Flen: bytes.length * 3,
    Decimal: 0,
    ...names,
  });
  if (charset !== undefined) return constNode("string", { ...type, Flen: bytes.length }, bytes);
  const asInt: Eval<bigint> = () => {
    const value = bytesToUint(bytes);
    if (value === null) ctx.truncated("BINARY", `0x${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join("")}`);
    return value ?? MAX_UINT64;
  };
  return constNode("string", type, bytes, {
    asInt,
    binaryLiteral: true,
    source: () => ({ kind: "literal", value: bytes }),
  });
}

const DATE_FORM = /^\s*((0*\d{1,4}([^\d]0*\d{1,2}){2})|(\d{2,4}(\d{2}){2}))\s*$/;

function temporalConst(ctx: ExprContext, type: "date" | "time" | "timestamp", text: string): Node {
  const { session } = ctx;
  const bad = (word: string, code = 1525) => new CastError(code, `Incorrect ${word} value: '${text}'`);
  const fsp = Math.min(/\.(\d*)\s*$/.exec(text)?.[1]?.length ?? 0, 6);
  session.fault = null;
  if (type === "time") {
    const value = parseDuration(session, utf8(text), fsp);
    if (session.take() !== null) throw bad("TIME");
    const flen = 10 + (fsp > 0 ? fsp + 1 : 0);
    return constNode("duration", fieldType(Tp.duration, { Flen: flen, Decimal: fsp }), value);
  }
  if (type === "date" && !DATE_FORM.test(text)) throw bad("DATE");
  const tp = type === "date" ? Tp.date : Tp.datetime;
  const value = timeOfDatum(parseTime(session, utf8(text), tp, type === "date" ? 0 : fsp));
  if (session.take() !== null) throw bad(type === "date" ? "DATE" : "DATETIME");
  const made =
    tp === Tp.date
      ? fieldType(tp, { Flen: 10, Decimal: 0 })
      : fieldType(tp, { Flen: 19 + (fsp > 0 ? fsp + 1 : 0), Decimal: fsp });
  if (type !== "date") return constNode("time", made, value);
  const isZeroDate = value.year === 0 && value.month === 0 && value.day === 0;
  const hasZero = value.month === 0 || value.day === 0;
  const isBad = isZeroDate ? session.noZeroDate : hasZero && session.noZeroInDate;
  return constNode("time", made, value, isBad ? { eval: () => raise(bad("DATE", 1292)) } : {});
}

function raise(error: Error): never {
  throw error;
}

/** The node of a literal; undefined for expressions of other kinds. */
export function literalNode(ctx: ExprContext, expr: Expr): Node | undefined {
  switch (expr.kind) {
    case "null":
      return nullConst();
    case "bool":
      return intConst(expr.value ? 1n : 0n, { Flag: Flag.binary | Flag.notNull | Flag.isBoolean });
    case "int":
      return expr.value > MAX_UINT64 ? decimalConst(String(expr.value)) : intConst(expr.value);
    case "decimal":
      return decimalConst(expr.text);
    case "float":
      return constNode(
        "real",
        fieldType(Tp.double, { Flag: Flag.binary | Flag.notNull, Flen: expr.text.length }),
        expr.value,
      );
    case "string":
      return stringConst(ctx, expr.text, expr.charset);
    case "hex":
    case "bit":
      return binaryConst(ctx, expr.bytes, expr.kind, expr.charset);
    case "temporal":
      return temporalConst(ctx, expr.type, expr.text);
    default:
      return undefined;
  }
}

/** Whether NULL is the only value. */
export function isNullType(node: Node): boolean {
  return node.type.Tp === Tp.null;
}
