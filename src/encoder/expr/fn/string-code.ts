/** Strings written in other ways: digits, base 64, quotes, character sets. */
import { fromHex, toHex, utf8 } from "../../../base/mod.ts";
import { countRunes } from "../../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../../schema/mod.ts";
import { byteString, bytesOf, CastError, fitText } from "../../cast/mod.ts";
import { fromBinary, toBinary } from "../binary-literal.ts";
import { ANY_NUMBER, type Call, type FunctionTable, fn } from "../call.ts";
import { castTo } from "../cast.ts";
import { collationOf, sortKey } from "../collate.ts";
import { isBinaryString, isHybrid, MAX_BLOB_WIDTH } from "../field-types.ts";
import { charsetNames } from "../leaf.ts";
import { as, lift1, type Node } from "../node.ts";
import { runeOffset } from "../runes.ts";

function hex(call: Call): Node {
  const [arg] = call.args as [Node];
  if (arg.kind === "int" || arg.kind === "real" || arg.kind === "decimal") {
    const [n] = call.cast("string", "int");
    return call.string(
      lift1(n.eval, (v) => utf8(BigInt.asUintN(64, v).toString(16).toUpperCase())),
      { Flen: arg.type.Flen < 0 ? -1 : arg.type.Flen * 2 },
    );
  }
  const [text] = call.cast("string", "string");
  return call.string(
    lift1(text.eval, (v) => utf8(toHex(v).toUpperCase())),
    { Flen: text.type.Flen < 0 ? -1 : text.type.Flen * 8 },
  );
}

const HEX = /^[0-9a-fA-F]*$/;

export function bytesOfHex(text: string): Uint8Array | null {
  return HEX.test(text) ? fromHex(text.length % 2 === 1 ? `0${text}` : text) : null;
}

function unhex(call: Call): Node {
  const [text] = call.cast("string", "string");
  return call.bytes(
    lift1(text.eval, (v) => bytesOfHex(byteString(v))),
    text.type.Flen < 0 ? -1 : text.type.Flen * 2,
  );
}

function bin(call: Call): Node {
  const [n] = call.cast("string", "int");
  return call.string(
    lift1(n.eval, (v) => utf8(BigInt.asUintN(64, v).toString(2))),
    { Flen: 64 },
  );
}

function oct(call: Call): Node {
  if (call.args[0]!.kind === "int" || isHybrid(call.args[0]!.type)) {
    const [n] = call.cast("string", "int");
    return call.string(
      lift1(n.eval, (v) => utf8(BigInt.asUintN(64, v).toString(8))),
      { Flen: 64 },
    );
  }
  const [text] = call.cast("string", "string");
  return call.string(
    lift1(text.eval, (v) => {
      const digits = /^\s*(-?)([0-9]+)/.exec(byteString(v));
      if (digits === null) return utf8("0");
      const size = BigInt(digits[2]!);
      const value = size >= 1n << 64n ? (1n << 64n) - 1n : digits[1] === "-" ? BigInt.asUintN(64, -size) : size;
      return utf8(value.toString(8));
    }),
    { Flen: 64 },
  );
}

const LINE = 76;

function toBase64(call: Call): Node {
  const [text] = call.cast("string", "string");
  return call.string(
    lift1(text.eval, (v) => {
      const whole = btoa(byteString(v));
      const lines: string[] = [];
      for (let at = 0; at < whole.length; at += LINE) lines.push(whole.slice(at, at + LINE));
      return utf8(lines.join("\n"));
    }),
  );
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function fromBase64(call: Call): Node {
  const [text] = call.cast("string", "string");
  return call.bytes(
    lift1(text.eval, (v) => {
      const packed = byteString(v).replace(/[\t \n\r]/g, "");
      return BASE64.test(packed) ? bytesOf(atob(packed)) : null;
    }),
    text.type.Flen < 0 ? -1 : text.type.Flen * 3,
  );
}

const ESCAPES: Record<number, number> = { 0: 0x30, 26: 0x5a, 39: 0x27, 92: 0x5c };

/** NULL becomes the word. */
function quote(call: Call): Node {
  const [text] = call.cast("string", "string");
  return call.string(
    (row) => {
      const v = text.eval(row);
      if (v === null) return utf8("NULL");
      const out: number[] = [0x27];
      for (const c of v) {
        const escaped = ESCAPES[c];
        if (escaped === undefined) out.push(c);
        else out.push(0x5c, escaped);
      }
      out.push(0x27);
      return Uint8Array.from(out);
    },
    { Flen: text.type.Flen < 0 ? -1 : text.type.Flen * 2 + 2 },
  );
}

/** The bytes of numbers, big-endian without leading zeros, of each at most four. */
function bytesOfNumbers(numbers: readonly bigint[]): Uint8Array {
  const out: number[] = [];
  for (const n of numbers) {
    const own: number[] = [];
    let rest = BigInt.asIntN(64, n);
    for (let i = 0; i < 4; i++) {
      own.unshift(Number(rest & 255n));
      rest >>= 8n;
      if (rest === 0n) break;
    }
    out.push(...own);
  }
  return Uint8Array.from(out);
}

/** CHAR(numbers [USING charset]); NULLs are left out. */
function char(call: Call): Node {
  const charset = call.exprs[call.exprs.length - 1];
  call.args = call.args.slice(0, -1);
  const numbers = call.castAll("string", "int").map((arg) => arg.eval);
  const bytes = (row: Parameters<(typeof numbers)[0]>[0]): Uint8Array =>
    bytesOfNumbers(numbers.map((n) => n(row)).filter((n) => n !== null));
  const flen = numbers.length * 4;
  if (charset?.kind !== "string" || charset.text.toLowerCase() === "binary") return call.bytes(bytes, flen);
  const names = charsetNames(charset.text);
  if (names === undefined) throw call.ctx.unsupported(`the character set "${charset.text}"`);
  const raw = as(call.bytes(bytes, flen), "string");
  return fromBinary(call.ctx, raw, { ...raw.type, Tp: Tp.varstring, Flag: 0, ...names }, true);
}

/** CONVERT(text USING charset). */
function convert(call: Call): Node {
  const [arg, name] = call.args as [Node, Node];
  const written = call.exprs[1];
  const names = written?.kind === "string" ? charsetNames(written.text) : undefined;
  if (names === undefined) throw call.ctx.unsupported(`the character set "${name.text()}"`);
  call.args = [arg];
  const [text] = call.cast("string", "string");
  const type: Partial<FieldTypeInfo> = { Flen: text.type.Flen, ...names };
  if (names.Charset === "binary") {
    const raw = isBinaryString(text.type) ? text : toBinary(call.ctx, text);
    return call.bytes(raw.eval, text.type.Flen);
  }
  if (isBinaryString(text.type)) return fromBinary(call.ctx, text, { ...text.type, Flag: 0, ...names }, true);
  return call.string(
    lift1(text.eval, (v) => fitText(v, names.Charset).text),
    type,
  );
}

/** Digits in groups of three. */
function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function roundDigits(text: string, scale: number): string {
  const negative = text.startsWith("-");
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const kept = fraction.padEnd(scale + 1, "0");
  let units = BigInt(whole + kept.slice(0, scale));
  if (kept.charCodeAt(scale) >= 0x35) units++;
  const digits = units.toString().padStart(scale + 1, "0");
  const body = grouped(digits.slice(0, digits.length - scale)) + (scale > 0 ? `.${digits.slice(-scale)}` : "");
  return negative ? `-${body}` : body;
}

/** FORMAT(number, digits[, locale]): only the locale en_US is known to TiDB. */
function format(call: Call): Node {
  const numberKind = call.args[0]!.kind === "int" || call.args[0]!.kind === "decimal" ? "decimal" : "real";
  const kinds = ([numberKind, "int", "string"] as const).slice(0, call.args.length);
  call.cast("string", ...kinds);
  const text = castTo(call.ctx, call.args[0]!, {
    ...call.args[0]!.type,
    Tp: Tp.varstring,
    Flag: 0,
    Flen: -1,
    Charset: "utf8mb4",
    Collate: "utf8mb4_bin",
  });
  const shown = as(text, "string").eval;
  const scale = as(call.args[1]!, "int").eval;
  const locale = call.args[2];
  return call.string((row) => {
    const v = shown(row);
    const d = v === null ? null : scale(row);
    if (v === null || d === null) return null;
    const name = locale === undefined ? "en_US" : byteString(as(locale, "string").eval(row) ?? new Uint8Array(0));
    if (name.toLowerCase() !== "en_us") call.ctx.warn(1649, `Unknown locale: '${name === "" ? "NULL" : name}'`);
    return utf8(roundDigits(byteString(v), d < 0n ? 0 : d > 30n ? 30 : Number(d)));
  });
}

/** The sort key; of numbers there is none. */
function weightString(call: Call): Node {
  const [arg, form, length] = call.args as [Node, Node?, Node?];
  const { ctx } = call;
  const padding = form === undefined ? "" : form.text();
  const isNumber = arg.kind === "int" || arg.kind === "real" || arg.kind === "decimal";
  if (isNumber && padding !== "BINARY") {
    call.args = [arg];
    return call.bytes(() => null);
  }
  const size = length === undefined ? 0 : Number(as(length, "int").eval([]) ?? 0n);
  if (size < 0) throw new CastError(1210, "Incorrect arguments to weight_string");
  call.args = [arg];
  const collate = arg.type.Collate;
  const [text] = call.cast("string", "string");
  const collation = collationOf(ctx, padding === "BINARY" ? "binary" : collate);
  const fit = (v: Uint8Array): Uint8Array => {
    if (padding === "") return v;
    const count = padding === "BINARY" ? v.length : countRunes(v, 0, v.length);
    if (count >= size) return v.subarray(0, padding === "BINARY" ? size : runeOffset(v, size));
    const out = new Uint8Array(v.length + size - count).fill(padding === "BINARY" ? 0 : 0x20);
    out.set(v);
    return out;
  };
  return call.bytes(
    lift1(text.eval, (v) => sortKey(collation, fit(v))),
    MAX_BLOB_WIDTH,
  );
}

export const stringCodes: FunctionTable = {
  hex: fn(hex, 1),
  unhex: fn(unhex, 1),
  bin: fn(bin, 1),
  oct: fn(oct, 1),
  to_base64: fn(toBase64, 1),
  from_base64: fn(fromBase64, 1),
  quote: fn(quote, 1),
  char_func: fn(char, 2, ANY_NUMBER),
  convert: fn(convert, 2),
  format: fn(format, 2, 3),
  weight_string: fn(weightString, 1, 3),
};
