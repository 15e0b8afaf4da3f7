/** Values of expressions as datums. */
import { type Datum, NULL_DATUM } from "../../codec/mod.ts";
import type { FieldTypeInfo } from "../../schema/mod.ts";
import type { CastSource } from "../cast/mod.ts";
import { shownDec } from "./dec.ts";
import { isUnsigned, kindOf } from "./field-types.ts";
import type { Node } from "./node.ts";
import { datumOfTime } from "./time-value.ts";
import type { Row } from "./value.ts";

function intDatum(value: bigint, type: FieldTypeInfo): Datum {
  return isUnsigned(type) ? { kind: "uint", value } : { kind: "int", value };
}

/** What computes the value of the node as a datum. */
export function datumEval(node: Node): (row: Row) => Datum {
  const { type } = node;
  switch (node.kind) {
    case "int": {
      const evaluate = node.eval;
      return (row) => {
        const v = evaluate(row);
        return v === null ? NULL_DATUM : intDatum(v, type);
      };
    }
    case "real": {
      const evaluate = node.eval;
      return (row) => {
        const value = evaluate(row);
        return value === null ? NULL_DATUM : { kind: "float", value };
      };
    }
    case "decimal": {
      const evaluate = node.eval;
      return (row) => {
        const v = evaluate(row);
        return v === null ? NULL_DATUM : { kind: "decimal", value: v };
      };
    }
    case "string": {
      const evaluate = node.eval;
      const collation = type.Charset === "binary" ? "binary" : type.Collate;
      return (row) => {
        const value = evaluate(row);
        return value === null ? NULL_DATUM : { kind: "bytes", value, collation };
      };
    }
    case "time": {
      const evaluate = node.eval;
      return (row) => {
        const v = evaluate(row);
        return v === null ? NULL_DATUM : datumOfTime(v);
      };
    }
    case "duration": {
      const evaluate = node.eval;
      return (row) => {
        const v = evaluate(row);
        return v === null ? NULL_DATUM : { kind: "duration", nanos: v.nanos, fsp: v.fsp };
      };
    }
    case "json": {
      const evaluate = node.eval;
      return (row) => {
        const value = evaluate(row);
        return value === null ? NULL_DATUM : { kind: "json", value };
      };
    }
  }
}

/** As `datumEval`, for a column of that type: a decimal that becomes text or a float has only the digits that are shown. */
export function columnValue(node: Node, type: FieldTypeInfo): (row: Row) => CastSource {
  if (node.source !== undefined) return node.source;
  const isExact = ["decimal", "int", "time"].includes(kindOf(type));
  if (node.kind !== "decimal" || isExact) return datumEval(node);
  const evaluate = node.eval;
  return (row) => {
    const v = evaluate(row);
    return v === null ? NULL_DATUM : { kind: "decimal", value: shownDec(v) };
  };
}
