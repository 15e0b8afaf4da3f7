/** CAST … AS … ARRAY, the values of multi-valued indexes (TiDB `pkg/expression/builtin_cast.go`, castJSONAsArray). */
import {
  JsonType,
  jsonInt,
  jsonString,
  unpackCoreTime,
  writeArray,
  writeDouble,
  writeInt,
  writeString,
} from "../../codec/mod.ts";
import { type CastType, type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { CastError, Code, fitLength, jsonToFloat, jsonToInt } from "../cast/mod.ts";
import { jsonOfTime, toJson } from "./cast.ts";
import { callNode } from "./const.ts";
import type { ExprContext } from "./context.ts";
import { isUnsigned, kindOf } from "./field-types.ts";
import { itemsOf } from "./json-edit.ts";
import { Coercibility, lift1, type Node, Repertoire } from "./node.ts";
import { dateOf, time } from "./time-value.ts";

type Convert = (item: Uint8Array) => Uint8Array;

/** Elements are not cast from other types: what is not of the type of the array is an error. */
function elementCast(ctx: ExprContext, type: FieldTypeInfo): Convert | undefined {
  // No mode forgives what is wrong with an element.
  const session = ctx.session.with({ strict: true, warn: () => {} });
  const only = (types: readonly number[], convert: Convert): Convert => {
    return (item) => {
      if (!types.includes(item[0]!)) throw invalid();
      const converted = convert(item);
      const fault = session.take();
      if (fault !== null) throw new CastError(fault.code, fault.message);
      return converted;
    };
  };
  switch (kindOf(type)) {
    case "string": {
      const isKnown = type.Charset === "utf8mb4" || type.Charset === "binary";
      if (type.Flen < 0 || !isKnown) return undefined;
      const limited = { ...type, Tp: type.Tp === Tp.string ? Tp.varstring : type.Tp };
      return only([JsonType.string], (item) => writeString(fitLength(session, jsonString(item), limited)));
    }
    case "int": {
      if (type.Tp === Tp.year) return undefined;
      const unsigned = isUnsigned(type);
      const code = unsigned ? JsonType.uint64 : JsonType.int64;
      const integers = [JsonType.int64, JsonType.uint64];
      return only(integers, (item) => writeInt(code, jsonToInt(session, item, type.Tp, unsigned)));
    }
    case "real": {
      if (type.Tp === Tp.float) return undefined;
      const numbers = [JsonType.double, JsonType.int64, JsonType.uint64];
      return only(numbers, (item) => writeDouble(jsonToFloat(session, item)));
    }
    case "time": {
      const code = type.Tp === Tp.date ? JsonType.date : JsonType.datetime;
      return only([code], (item) => {
        const t = unpackCoreTime(jsonInt(item));
        return jsonOfTime(type.Tp === Tp.date ? dateOf(t) : time(t, type.Tp, 6));
      });
    }
    case "duration":
      return only([JsonType.time], (item) => item);
    default:
      return undefined;
  }
}

function invalid(): CastError {
  return new CastError(INVALID, "Invalid JSON value for CAST for expression index");
}

const INVALID = 3903;

/** The error of an element with the name of the index. */
function ofIndex(name: string, e: CastError): CastError {
  switch (e.code) {
    case INVALID:
      return new CastError(INVALID, `Invalid JSON value for CAST for expression index '${name}'`);
    case Code.valueOutOfRange:
      return new CastError(3752, `Value is out of range for expression index '${name}'`);
    case Code.tooLong:
      return new CastError(3907, `Data too long for expression index '${name}'`);
    default:
      return e;
  }
}

function castItems(json: Uint8Array, cast: Convert): Uint8Array {
  if (json[0] === JsonType.object) {
    throw new CastError(1235, "This version of TiDB doesn't yet support 'CAST-ing JSON OBJECT type to array'");
  }
  return writeArray(json[0] === JsonType.array ? itemsOf(json).map(cast) : [cast(json)]);
}

/** `type`: of the elements. */
export function castToArray(ctx: ExprContext, arg: Node, to: CastType, type: FieldTypeInfo): Node {
  const cast = elementCast(ctx, type);
  if (cast === undefined) throw ctx.unsupported(`a CAST to an array of ${to.type}`);
  if (arg.kind !== "json") throw ctx.unsupported("a CAST to an array of what is no JSON");
  const { indexName } = ctx;
  const json = toJson(ctx, arg);
  const evaluate = lift1(json.eval, (v) => {
    try {
      return castItems(v, cast);
    } catch (thrown) {
      throw thrown instanceof CastError ? ofIndex(indexName, thrown) : thrown;
    }
  });
  return callNode(ctx, {
    name: "cast",
    kind: "json",
    type: json.type,
    args: [json],
    eval: evaluate,
    coercibility: Coercibility.numeric,
    repertoire: Repertoire.ascii,
  });
}
