/** Arguments of the JSON functions. */
import type { FieldTypeInfo } from "../../schema/mod.ts";
import { CastError } from "../cast/mod.ts";
import type { Call } from "./call.ts";
import { toJson } from "./cast.ts";
import { isBinaryString } from "./field-types.ts";
import { type JsonPath, parsePath } from "./json-path.ts";
import { as, isConst, type NodeOf } from "./node.ts";
import type { Eval, Row } from "./value.ts";

/** A path, of a constant parsed once. Throws CastError 3143. */
export function pathEval(node: NodeOf<"string">): Eval<JsonPath> {
  let last: Uint8Array | undefined;
  let path: JsonPath | undefined;
  return (row) => {
    const text = node.eval(row);
    if (text === null) return null;
    if (path === undefined || last !== text) {
      path = parsePath(text);
      last = isConst(node) ? text : text.slice();
    }
    return path;
  };
}

/** The values in order; null as soon as one is NULL. */
export function allOf<T>(evals: readonly Eval<T>[], row: Row): T[] | null {
  const out: T[] = [];
  for (const evaluate of evals) {
    const v = evaluate(row);
    if (v === null) return null;
    out.push(v);
  }
  return out;
}

/** Arguments that are no paths, from this one on every second: text in them is a JSON string, no document. */
export function plainValues(call: Call, from: number, step: number): void {
  for (let i = from; i < call.args.length; i += step) call.args[i] = toJson(call.ctx, call.args[i]!, false);
}

/** Refuses arguments that are neither JSON nor text with a character set. */
export function documentsOnly(call: Call, ...indexes: number[]): void {
  for (const i of indexes) {
    const { kind, type } = call.args[i]!;
    if (kind === "string") textOnly(type);
    if (kind === "json" || kind === "string") continue;
    const what = `a JSON string or JSON type is required.`;
    throw new CastError(3146, `Invalid data type for JSON data in argument ${i + 1} to function ${call.name}; ${what}`);
  }
}

/** Refuses the type of a binary string. */
export function textOnly(type: FieldTypeInfo): void {
  if (!isBinaryString(type)) return;
  throw new CastError(3144, "Cannot create a JSON value from a string with CHARACTER SET 'binary'.");
}

/** A document, then paths. */
export function documentAndPaths(call: Call): { document: Eval<Uint8Array>; paths: Eval<JsonPath>[] } {
  const kinds = call.args.map((_, i) => (i === 0 ? ("json" as const) : ("string" as const)));
  call.cast(call.name === "json_length" ? "int" : "json", ...kinds);
  const [document, ...paths] = call.args;
  return { document: as(document!, "json").eval, paths: paths.map((node) => pathEval(as(node, "string"))) };
}

export function badCount(call: Call): CastError {
  return new CastError(1582, `Incorrect parameter count in the call to native function '${call.name}'`);
}

export function singlePath(path: JsonPath): JsonPath {
  if (!path.many) return path;
  const message = "In this situation, path expressions may not contain the * and ** tokens or an array range.";
  throw new CastError(3149, message);
}
