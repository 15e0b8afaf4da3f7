/** Values as conditions. */
import { JsonType, jsonDouble, jsonInt } from "../../codec/mod.ts";
import { toInt, toReal } from "./cast.ts";
import type { ExprContext } from "./context.ts";
import { lift1, type Node } from "./node.ts";
import type { Eval } from "./value.ts";

/** Whether the value counts as true; NULL stays NULL. */
export function truthOf(ctx: ExprContext, node: Node): Eval<boolean> {
  switch (node.kind) {
    case "int":
      return lift1(node.eval, (v) => v !== 0n);
    case "decimal":
      return lift1(node.eval, (v) => v.unscaled !== 0n);
    case "real":
      return lift1(node.eval, (v) => v !== 0);
    case "time":
    case "duration":
      return lift1(toInt(ctx, node).eval, (v) => v !== 0n);
    case "string":
    case "json":
      return lift1(toReal(ctx, node).eval, (v) => v !== 0);
  }
}

/** As NOT sees it: a JSON value is true unless it is the number 0. */
export function truthForNot(ctx: ExprContext, node: Node): Eval<boolean> {
  return node.kind === "json" ? lift1(node.eval, (v) => !isJsonZero(v)) : truthOf(ctx, node);
}

function isJsonZero(json: Uint8Array): boolean {
  switch (json[0]) {
    case JsonType.int64:
    case JsonType.uint64:
      return jsonInt(json) === 0n;
    case JsonType.double:
      return jsonDouble(json) === 0;
    default:
      return false;
  }
}
