/** Casts to strings inside expressions. */
import { utf8 } from "../../base/mod.ts";
import { decimalText, durationText, jsonText } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { fitLength, formatFixed, formatTimeDatum } from "../cast/mod.ts";
import { type ExprContext, MAX_ALLOWED_PACKET } from "./context.ts";
import { isBinaryString } from "./field-types.ts";
import { lift1, type Node } from "./node.ts";
import { datumOfTime } from "./time-value.ts";
import type { Eval, Time } from "./value.ts";

export function timeText(t: Time): string {
  return formatTimeDatum(datumOfTime(t));
}

/** The value as text, before it is cut to a length. */
function textEval(ctx: ExprContext, arg: Node): Eval<Uint8Array> {
  if (arg.asBytes !== undefined) return arg.asBytes;
  switch (arg.kind) {
    case "int": {
      const isYear = arg.type.Tp === Tp.year;
      return lift1(arg.eval, (v) => utf8(isYear && v === 0n ? "0000" : String(v)));
    }
    case "real": {
      const bits = arg.type.Tp === Tp.float ? 32 : 64;
      return lift1(arg.eval, (v) => utf8(formatFixed(v, bits)));
    }
    case "decimal":
      return lift1(arg.eval, (v) => utf8(decimalText(v)));
    case "string":
      return arg.eval;
    case "time":
      return lift1(arg.eval, (v) => utf8(timeText(v)));
    case "duration":
      return lift1(arg.eval, (v) => utf8(durationText(v.nanos, v.fsp)));
    case "json":
      return lift1(arg.eval, (v) => utf8(jsonText(v, ctx.session.jsonDoubles)));
  }
}

/** Cut to the length of the type with an error or a warning; BINARY(n) is padded. */
export function stringEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo): Eval<Uint8Array> {
  const text = textEval(ctx, arg);
  if (type.Flen < 0) return text;
  const isPadded = type.Tp === Tp.string && isBinaryString(type);
  return lift1(text, (v) => {
    if (isPadded && v.length < type.Flen && type.Flen > MAX_ALLOWED_PACKET) return ctx.tooLong("cast_as_binary");
    const fitted = fitLength(ctx.session, v, type);
    ctx.failed();
    return fitted;
  });
}
