import { utf8 } from "../../../base/mod.ts";
import { FieldKind } from "../../../codec/mod.ts";
import type { Expr } from "../../../schema/mod.ts";
import { evaluate, type Scope, type Value } from "../query/evaluate.ts";
import { bytesOfSqlText } from "../wire/mod.ts";
import { type Cell, DEFAULT_CELL, NULL_CELL, textCell } from "./fields.ts";

const NOTHING = new Uint8Array(0);

/** A value in VALUES or behind `=`: literals as they are, everything else evaluated. */
export function cellOf(expr: Expr, scope: Scope): Cell {
  switch (expr.kind) {
    case "null":
      return NULL_CELL;
    case "default":
      return expr.column === undefined ? DEFAULT_CELL : cellOfValue(evaluate(expr, scope));
    case "string":
      return {
        kind: expr.charset === "binary" ? FieldKind.binary : FieldKind.string,
        bytes: bytesOfSqlText(expr.text),
      };
    case "int":
      return { kind: FieldKind.uint, bytes: utf8(String(expr.value)) };
    case "decimal":
      return { kind: FieldKind.decimal, bytes: utf8(expr.text) };
    case "float":
      return { kind: FieldKind.float, bytes: utf8(expr.text) };
    case "hex":
    case "bit":
      return { kind: expr.kind === "hex" ? FieldKind.hex : FieldKind.bit, bytes: expr.bytes };
    case "bool":
      return { kind: expr.value ? FieldKind.true : FieldKind.false, bytes: NOTHING };
    default:
      return cellOfValue(evaluate(expr, scope));
  }
}

export function cellOfValue({ text, numeric }: Value): Cell {
  if (text === null) return NULL_CELL;
  if (text instanceof Uint8Array) return { kind: FieldKind.binary, bytes: text };
  if (!numeric) return textCell(text);
  if (/^\d{1,20}$/.test(text)) return { kind: FieldKind.uint, bytes: utf8(text) };
  if (/^-\d{1,19}$/.test(text)) return { kind: FieldKind.int, bytes: utf8(text) };
  return { kind: /e/i.test(text) ? FieldKind.float : FieldKind.decimal, bytes: utf8(text) };
}
