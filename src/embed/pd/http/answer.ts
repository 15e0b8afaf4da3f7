import type { HttpAnswer } from "../../net/mod.ts";
import { type JsonValue, jsonText, parseJson } from "./json.ts";

/** A request as a handler sees it. */
export interface Call {
  /** Path segments named in the route, percent-decoded. */
  params: Record<string, string>;
  /** Query values as bytes, percent-decoded: keys travel like that. */
  query: Map<string, Uint8Array>;
  body: string;
}

export function json(value: JsonValue, status = 200): HttpAnswer {
  return { status, contentType: "application/json; charset=UTF-8", body: jsonText(value) };
}

/** Region lists are written by a faster encoder of PD's, which names no JSON type. */
export function jsonStream(value: JsonValue): HttpAnswer {
  return { status: 200, contentType: "application/octet-stream", body: jsonText(value) };
}

export function plain(text: string, status = 200): HttpAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: text };
}

/** Some handlers answer a bad body with an object. */
export function badInput(msg: string, data: JsonValue): HttpAnswer {
  return json({ code: "input", msg, data }, 400);
}

/** The parsed body, or the answer to a bad one as those handlers give it. */
export function bodyOf(call: Call): { value: JsonValue; refused?: undefined } | { refused: HttpAnswer } {
  const parsed = parseJson(call.body);
  if (parsed.error !== undefined) return { refused: badInput(parsed.error, { Offset: parsed.offset }) };
  return parsed;
}

/** Text of a query value; undefined = not given. */
export function queryText(call: Call, name: string): string | undefined {
  const value = call.query.get(name);
  return value === undefined ? undefined : Buffer.from(value).toString("utf8");
}

/** A query value that must be a number; undefined = not given. */
export function queryNumber(call: Call, name: string): { value: number | undefined; refused?: HttpAnswer } {
  const text = queryText(call, name);
  if (text === undefined || text === "") return { value: undefined };
  if (/^-?\d+$/.test(text)) return { value: Number(text) };
  return { value: undefined, refused: json(`strconv.Atoi: parsing "${text}": invalid syntax`, 400) };
}
