import { utf8 } from "../../src/base/mod.ts";
import { FieldKind } from "../../src/codec/mod.ts";
import { CastError, CastSession, castField, datumToText } from "../../src/encoder/cast/mod.ts";
import { columnOf } from "./cast-columns.ts";

export const STRICT = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO";
export const NOW = Date.UTC(2025, 1, 6, 7, 8, 9, 500);

export function newSession(sqlMode = "", timeZone = "UTC"): { session: CastSession; warnings: number[] } {
  const warnings: number[] = [];
  const warn = (code: number): void => {
    warnings.push(code);
  };
  return { session: new CastSession({ sqlMode, timeZone, newCollations: true, nowMs: NOW, warn }), warnings };
}

/**
 * A text cast to a type, in short: the text of the value, `NULL`, or `E1292` for an error; behind it ` W1292` for each warning.
 */
export function castText(type: string, text: string, sqlMode = "", timeZone = "UTC"): string {
  const { session, warnings } = newSession(sqlMode, timeZone);
  const column = columnOf(type);
  const bytes = utf8(text);
  const tail = (): string => warnings.map((code) => ` W${code}`).join("");
  try {
    const value = castField(FieldKind.string, bytes, 0, bytes.length, column, session);
    return (datumToText(value, column.type) ?? "NULL") + tail();
  } catch (error) {
    if (!(error instanceof CastError)) throw error;
    return `E${error.code}${tail()}`;
  }
}
