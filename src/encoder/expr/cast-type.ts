/** Target types of CAST and CONVERT. */
import { type CastType, type FieldTypeInfo, Flag, Tp } from "../../schema/mod.ts";
import { CastError } from "../cast/mod.ts";
import { fromBinary, toBinary } from "./binary-literal.ts";
import { jsonType } from "./cast.ts";
import type { ExprContext } from "./context.ts";
import { DEFAULT_CHARSET, DEFAULT_COLLATION, fieldType, isBinaryString } from "./field-types.ts";
import { charsetNames } from "./leaf.ts";
import type { Node } from "./node.ts";

function textType(ctx: ExprContext, to: CastType): FieldTypeInfo {
  const names =
    to.charset === undefined ? { Charset: DEFAULT_CHARSET, Collate: DEFAULT_COLLATION } : charsetNames(to.charset);
  if (names === undefined) throw ctx.unsupported(`the character set "${to.charset}" of a CAST`);
  const flag = to.binaryCollation === true || names.Charset === "binary" ? Flag.binary : 0;
  return fieldType(Tp.varstring, { Flag: flag, Flen: to.length ?? -1, ...names });
}

function decimalType(to: CastType): FieldTypeInfo {
  const flen = to.length ?? 10;
  const scale = to.decimals ?? 0;
  if (scale > flen)
    throw new CastError(1427, "For float(M,D), double(M,D) or decimal(M,D), M must be >= D (column '').");
  return fieldType(Tp.newdecimal, { Flen: flen === 0 && scale === 0 ? 10 : flen, Decimal: scale });
}

function targetType(ctx: ExprContext, to: CastType): FieldTypeInfo {
  switch (to.type) {
    case "signed":
      return fieldType(Tp.longlong, { Flen: 22, Decimal: 0 });
    case "unsigned":
      return fieldType(Tp.longlong, { Flag: Flag.binary | Flag.unsigned, Flen: 22, Decimal: 0 });
    case "double":
      return fieldType(Tp.double, { Flen: 22 });
    case "float":
      return fieldType(Tp.float, { Flen: 12 });
    case "decimal":
      return decimalType(to);
    case "date":
      return fieldType(Tp.date, { Flen: 10, Decimal: 0 });
    case "datetime": {
      const fsp = to.decimals ?? 0;
      return fieldType(Tp.datetime, { Flen: 19 + (fsp > 0 ? fsp + 1 : 0), Decimal: fsp });
    }
    case "time": {
      const fsp = to.decimals ?? 0;
      return fieldType(Tp.duration, { Flen: 10 + (fsp > 0 ? fsp + 1 : 0), Decimal: fsp });
    }
    case "year":
      return fieldType(Tp.year, { Flen: 4, Decimal: 0 });
    case "json":
      return jsonType();
    case "binary":
      return fieldType(to.length === undefined ? Tp.varstring : Tp.string, { Flen: to.length ?? -1 });
    case "char":
      return textType(ctx, to);
    default:
      throw ctx.unsupported(`a CAST to ${to.type}`);
  }
}

/** The type, and the argument as the cast takes it. `isOperator`: `BINARY x`. */
export function castTypeOf(
  ctx: ExprContext,
  arg: Node,
  to: CastType,
  isOperator: boolean,
): { type: FieldTypeInfo; prepared: Node } {
  const type = targetType(ctx, to);
  if (isOperator) type.Tp = Tp.string;
  let prepared = arg;
  if (arg.kind === "string" && arg.type.Tp !== Tp.null) {
    const isBinary = isBinaryString(arg.type);
    if (to.type === "char" && isBinary && type.Charset !== "binary") {
      prepared = fromBinary(ctx, arg, { ...arg.type, Charset: type.Charset, Collate: type.Collate }, true);
    } else if (to.type === "binary" && !isBinary) prepared = toBinary(ctx, arg);
  }
  if (arg.type.Tp === Tp.bit && (to.type === "char" || to.type === "binary")) type.Flen = (arg.type.Flen + 7) >> 3;
  return { type, prepared };
}
