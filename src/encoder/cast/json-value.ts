/** JSON values as numbers and texts (TiDB `pkg/types/convert.go`, ConvertJSONTo…; `json_binary_functions.go`, Unquote). */

import { utf8 } from "../../base/mod.ts";
import { JsonType, jsonDouble, jsonInt, jsonString, jsonText } from "../../codec/mod.ts";
import { floatToDecimal, parseDecimal, type WideDecimal, wholeDecimal } from "./decimal-text.ts";
import { truncatedWrongValue } from "./fault.ts";
import { clampSigned, clampUnsigned, floatToSigned, floatToUnsigned } from "./integer-range.ts";
import { textToFloat, textToInt, textToUint } from "./number-text.ts";
import type { CastSession } from "./session.ts";

/** 1 for true, 0 for false, null for null and everything that is no scalar. */
function literal(json: Uint8Array): bigint | null {
  if (json[0] !== JsonType.literal || json[1] === 0) return null;
  return json[1] === 1 ? 1n : 0n;
}

function refuse(session: CastSession, json: Uint8Array, type: string): void {
  session.raise(session.forgive(truncatedWrongValue(type, jsonText(json))));
}

export function jsonToInt(session: CastSession, json: Uint8Array, tp: number, unsigned: boolean): bigint {
  switch (json[0]) {
    case JsonType.int64:
    case JsonType.uint64:
      return unsigned ? clampUnsigned(session, jsonInt(json), tp) : clampSigned(session, jsonInt(json), tp);
    case JsonType.double:
      return unsigned ? floatToUnsigned(session, jsonDouble(json), tp) : floatToSigned(session, jsonDouble(json), tp);
    case JsonType.string: {
      const text = jsonString(json);
      const value = text.length > 1 && text[0] === 0x2d ? textToInt(session, text) : textToUint(session, text);
      return unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
    }
    default: {
      const value = literal(json);
      if (value === null) refuse(session, json, "INTEGER");
      return value ?? 0n;
    }
  }
}

export function jsonToFloat(session: CastSession, json: Uint8Array): number {
  switch (json[0]) {
    case JsonType.int64:
    case JsonType.uint64:
      return Number(jsonInt(json));
    case JsonType.double:
      return jsonDouble(json);
    case JsonType.string:
      return textToFloat(session, jsonString(json));
    default: {
      const value = literal(json);
      if (value === null) refuse(session, json, "FLOAT");
      return Number(value ?? 0n);
    }
  }
}

export function jsonToDecimal(session: CastSession, json: Uint8Array): WideDecimal {
  switch (json[0]) {
    case JsonType.int64:
    case JsonType.uint64:
      return wholeDecimal(jsonInt(json));
    case JsonType.double:
      return floatToDecimal(session, jsonDouble(json));
    case JsonType.string: {
      const value = parseDecimal(session, jsonString(json));
      session.fault = session.forgive(session.fault);
      return value;
    }
    default: {
      const value = literal(json);
      if (value === null) refuse(session, json, "DECIMAL");
      return wholeDecimal(value ?? 0n);
    }
  }
}

/** The text without the quotes of a JSON string. */
export function unquotedJson(json: Uint8Array): Uint8Array {
  if (json[0] === JsonType.string) return jsonString(json);
  const text = jsonText(json);
  return utf8(text.startsWith('"') ? text.slice(1, -1) : text);
}
