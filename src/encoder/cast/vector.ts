/** VECTOR from text (TiDB `pkg/types/vector.go`). */
import { textOf } from "../../base/mod.ts";
import { type Datum, decodeVector, encodeVector } from "../../codec/mod.ts";
import type { FieldTypeInfo } from "../../schema/mod.ts";
import { unnumbered } from "./fault.ts";
import type { CastSession } from "./session.ts";
import type { CastSource } from "./source.ts";

const MAX_DIMENSIONS = 16383;
const MAX_FLOAT32 = 3.4028234663852886e38;
const ITEM = /[ \t\n\r]*(-?)([-+.eE0-9]+)[ \t\n\r]*([,\]])/y;
const NUMBER = /^\+?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** A number behind its minus sign, as TiDB's JSON library takes it: a plus sign is allowed, without one no leading zero or point. */
function parseNumber(text: string): number {
  if (!NUMBER.test(text) || /^(?:\.|0[0-9])/.test(text)) return Number.NaN;
  return Number(text);
}

/** The numbers of `[1,2.5]`, whatever follows; null for other texts. The word null is an empty vector. */
function parseNumbers(text: string): number[] | null {
  if (/^[ \t\n\r]*null/.test(text)) return [];
  const open = /^[ \t\n\r]*\[/.exec(text);
  if (open === null) return null;
  const numbers: number[] = [];
  if (/^[ \t\n\r]*\]/.test(text.slice(open[0].length))) return numbers;
  ITEM.lastIndex = open[0].length;
  for (;;) {
    const item = ITEM.exec(text);
    if (item === null) return null;
    const value = parseNumber(item[2]!);
    if (!Number.isFinite(value)) return null;
    numbers.push(item[1] === "-" ? -value : value);
    if (item[3] === "]") return numbers;
  }
}

function fromText(session: CastSession, text: string, type: FieldTypeInfo): Datum {
  const numbers = parseNumbers(text);
  if (numbers === null) session.raise(unnumbered(`Invalid vector text: ${text}`));
  const values = numbers ?? [];
  for (const value of values) {
    if (Math.abs(value) > MAX_FLOAT32) session.raise(unnumbered(`value ${value} out of range for float32`));
  }
  if (values.length > MAX_DIMENSIONS) {
    session.raise(unnumbered(`vector cannot have more than ${MAX_DIMENSIONS} dimensions`));
  }
  checkDimensions(session, values.length, type);
  return { kind: "vector", value: encodeVector(values) };
}

function checkDimensions(session: CastSession, count: number, type: FieldTypeInfo): void {
  if (type.Flen >= 0 && count !== type.Flen) {
    session.raise(unnumbered(`vector has ${count} dimensions, does not fit VECTOR(${type.Flen})`));
  }
}

export function castVector(session: CastSession, source: CastSource, type: FieldTypeInfo): Datum | null {
  if (source.kind === "bytes") return fromText(session, textOf(source.value), type);
  if (source.kind !== "vector") return null;
  checkDimensions(session, decodeVector(source.value).length, type);
  return source;
}
