/** Code of a bulk kernel that takes one field at `p` and writes its value at `o`; `return 0` leaves the row to the other paths. */
import { DIGIT_BYTES } from "../../codec/mod.ts";
import type { PlainSyntax } from "../../source/mod.ts";
import { CODE_POWERS } from "./kernel-parts.ts";
import { INSIDE, MARKER_BEGIN, OUTSIDE } from "./memory.ts";
import { EIGHT_DIGITS, eightTimes, enumCode, floatCode, MINUS, NUMBER, yearCode } from "./number-code.ts";
import type { BulkColumn, FieldForm } from "./plan.ts";

/** What ends a field: the separator, or behind the last one what ends the row. `at` is an expression. */
function endsField(syntax: PlainSyntax, last: boolean, at: string): string {
  if (!last) return `(load8(${at}) == ${syntax.separator})`;
  return syntax.rowEnds.map((byte) => `(load8(${at}) == ${byte})`).join(" || ");
}

/** Steps behind the field's end. */
function endOfField(syntax: PlainSyntax, last: boolean): string {
  if (!last) return `if (load8(p) != ${syntax.separator}) { return 0; } p += 1;`;
  if (!syntax.rowEnds.includes(13)) return `if (load8(p) != ${syntax.rowEnds[0]}) { return 0; } p += 1;`;
  return "p += (load16(p) == 0x0a0d); if (load8(p) != 10) { return 0; } p += 1;";
}

/** Whether NULL stands at `p`; empty where nothing is NULL. */
function nullTest(syntax: PlainSyntax, last: boolean): string {
  return syntax.nulls
    .map((marker) => {
      const bytes = [...marker].map((byte, i) => `load8(p, ${i}) == ${byte}`);
      return `(${[...bytes, `(${endsField(syntax, last, `p + ${marker.length}`)})`].join(" && ")})`;
    })
    .join(" || ");
}

/** Steps behind NULL; the markers differ in length, so the first byte that ends a field is looked for. */
function skipNull(syntax: PlainSyntax, last: boolean): string {
  return `while (!(${endsField(syntax, last, "p")})) { p += 1; }`;
}

/** The whole field, with its end and its place in the row. */
export function fieldCode(column: BulkColumn, position: number, syntax: PlainSyntax, last: boolean): string {
  const isNull = nullTest(syntax, last);
  const value =
    column.form.kind === "text"
      ? textCode(column, column.form, position, syntax)
      : quoted(column, column.form, syntax, position);
  const end = endOfField(syntax, last);
  if (isNull === "") return `{ ${value} } ${end}`;
  if (column.notNull) {
    // Numbers and times do not take a marker for a value; a text would.
    const guard = column.form.kind === "text" ? `if (${isNull}) { return 0; }` : "";
    return `${guard} { ${value} } ${end}`;
  }
  const mark = `nulls |= ${1n << BigInt(position)}L;`;
  return `if (${isNull}) { ${mark} ${skipNull(syntax, last)} } else { ${value} } ${end}`;
}

/** A number or time, with quotes around it or without. */
function quoted(
  column: BulkColumn,
  form: Exclude<FieldForm, { kind: "text" }>,
  syntax: PlainSyntax,
  position: number,
): string {
  const inner = valueCode(column, form, position);
  const { quote } = syntax;
  if (quote < 0) return inner;
  const demanded = (form.kind === "time" || form.kind === "enum") && syntax.textIsQuoted;
  const step = `if (load8(p) != ${quote}) { return 0; } p += 1;`;
  if (demanded) return `${step} ${inner} ${step}`;
  // Conditions instead of sums: what is mostly so is foreseen, and the next field need not wait for it.
  return `let q = 0; if (load8(p) == ${quote}) { q = 1; p += 1; } ${inner} if (q) { ${step} }`;
}

function valueCode(column: BulkColumn, form: Exclude<FieldForm, { kind: "text" }>, position: number): string {
  switch (form.kind) {
    case "int":
      return intCode(form, position, column.stored);
    case "decimal":
      return decimalCode(form);
    case "time":
      return timeCode(form, position);
    case "year":
      return yearCode(position);
    case "float":
      return floatCode(form);
    case "enum":
      return enumCode(form, position);
  }
}

function intCode({ bits, unsigned }: FieldForm & { kind: "int" }, position: number, stored: boolean): string {
  const limit = 1n << BigInt(unsigned ? bits : bits - 1);
  const small = bits < 64 ? `if (v >= ${limit}L${unsigned ? "" : ` || v < -${limit}L`}) { return 0; }` : "";
  const size = unsigned
    ? "let wide = 64L - clz(v); o += 1 << ((wide > 8) + (wide > 16) + (wide > 32));"
    : "let wide = 64L - clz(v ^ (v >> 63L)); o += 1 << ((wide > 7) + (wide > 15) + (wide > 31));";
  const number = unsigned ? NUMBER : `${MINUS} ${NUMBER} if (minus) { v = -v; }`;
  return `${number} ${small} k${position} = v; ${stored ? `store64(o, v); ${size}` : ""}`;
}

function decimalCode({ precision, scale, unsigned }: FieldForm & { kind: "decimal" }): string {
  const whole = precision - scale;
  const head = precision | (scale << 8);
  const lead = whole > 9 ? DIGIT_BYTES[whole % 9]! : 0;
  const words = whole > 9 ? 4 * Math.floor(whole / 9) : DIGIT_BYTES[whole]!;
  const fraction = DIGIT_BYTES[scale]!;
  const size = lead + words + fraction;
  const sign = unsigned ? "let minus = 0;" : MINUS;
  const whole18 = `{ ${NUMBER} w = v; } if (w >= ${10n ** BigInt(whole)}L) { return 0; }`;
  return `{
    ${sign}
    let w: i64 = 0;
    let f: i64 = 0;
    ${whole18}
    ${scale === 0 ? "" : fractionCode(scale)}
    let flip: i64 = 0;
    if (minus) { if ((w | f) != 0) { flip = -1L; } }
    store16(o, ${head});
    ${decimalBytes({ whole, fraction, size })}
    o += ${2 + size};
  }`;
}

/** `.` and up to `scale` digits into `f`; all of them in one step, as most values have. */
function fractionCode(scale: number): string {
  const fewer = Array.from(
    { length: scale - 1 },
    (_, i) => `if (given == ${i + 1}) { f *= ${CODE_POWERS[scale - 1 - i]}; }`,
  );
  const general = `
      p += 1;
      let from = p;
      { ${NUMBER} f = v; }
      let given = p - from;
      if (given > ${scale}) { return 0; }
      ${fewer.join(" ")}`;
  if (scale > 8) return `if (load8(p) == 46) { ${general} }`;
  const mask = 0x8080808080808080n >> BigInt(64 - 8 * scale);
  return `if (load8(p) == 46) {
      let x = load64(p, 1) ^ ${eightTimes(0x30)};
      if ((((x + ${eightTimes(0x76)}) | x) & ${mask}L) == 0) {
        x = x << ${64 - 8 * scale}L;
        ${EIGHT_DIGITS}
        f = x;
        p += ${scale + 1};
      } else { ${general} }
    }`;
}

/** The binary form at `o + 2`: integer words of nine digits, big-endian, the first one short; then the fraction's word. */
function decimalBytes({ whole, fraction, size }: { whole: number; fraction: number; size: number }): string {
  const put = (value: string, bytes: number, sign: boolean, offset: number): string => {
    const flipped = sign ? `${value} ^ flip ^ ${1n << BigInt(8 * bytes - 1)}L` : `${value} ^ flip`;
    return `store64(o, bswap((${flipped}) << ${8 * (8 - bytes)}L), ${offset});`;
  };
  // Divisions are slow, and most numbers need none.
  const words =
    whole > 9
      ? "let all = w; if (w >= 1000000000L) { let upper = divu(w, 1000000000L); all = (upper << 32L) | (w - upper * 1000000000L); }"
      : "let all = w;";
  if (size <= 8) return `${words} ${put(`((all << ${8 * fraction}L) | f)`, size, true, 2)}`;
  // Words before the fraction: at most 8 bytes, as there are at most 18 digits.
  const integer = size - fraction;
  return `${words} ${put("all", integer, true, 2)} ${fraction > 0 ? put("f", fraction, false, 2 + integer) : ""}`;
}

function timeCode({ clock, fsp, years }: FieldForm & { kind: "time" }, position: number): string {
  const [first, last] = years;
  const range = last < 9999 ? ` || year > ${last}` : "";
  return `{
    let x = load64(p) ^ 0x2d30302d30303030L;
    let d = load16(p, 8) ^ 0x3030;
    if ((((x + 0x7f76767f76767676L) | x) & ${eightTimes(0x80)}) != 0 || (((d + 0x7676) | d) & 0x8080) != 0) { return 0; }
    let y = ((i32(x) * 2561) >>> 8) & 0x00ff00ff;
    let year = (y & 255) * 100 + (y >>> 16);
    let month = (i32(x >>> 40L) & 15) * 10 + (i32(x >>> 48L) & 15);
    let day = (d & 15) * 10 + (d >>> 8);
    if (year < ${first}${range} || day == 0 || !ltu(month - 1, 12)) { return 0; }
    if (day > 28) { if (!validDay(year, month, day)) { return 0; } }
    p += 10;
    let value = i64((((year * 13 + month) << 5) | day)) << 41L;
    ${clock ? clockCode(fsp) : ""}
    store64(o, value);
    o += 8;
    k${position} = value;
  }`;
}

/** ` hh:mm:ss[.f…]` behind a date. */
function clockCode(fsp: number): string {
  const fraction =
    fsp === 0
      ? ""
      : `if (load8(p) == 46) {
          p += 1;
          let from = p;
          { ${NUMBER} micro = v; }
          let given = p - from;
          if (given > ${fsp}) { return 0; }
          ${Array.from({ length: 5 }, (_, i) => `if (given == ${i + 1}) { micro *= ${CODE_POWERS[5 - i]}; }`).join(" ")}
        }`;
  return `
    let t = load64(p, 1) ^ 0x30303a30303a3030L;
    if (load8(p) != 32 || (((t + 0x76767f76767f7676L) | t) & ${eightTimes(0x80)}) != 0) { return 0; }
    let hour = (i32(t) & 15) * 10 + (i32(t >>> 8L) & 15);
    let minute = (i32(t >>> 24L) & 15) * 10 + (i32(t >>> 32L) & 15);
    let second = (i32(t >>> 48L) & 15) * 10 + (i32(t >>> 56L) & 15);
    if (hour > 23 || minute > 59 || second > 59) { return 0; }
    p += 9;
    let micro: i64 = 0;
    ${fraction}
    value |= (i64((hour << 12) | (minute << 6) | second) << 24L) | micro;`;
}

/** Leaves in `x…` how many bytes the characters of a located text have beyond one each. */
function textCode(
  column: BulkColumn,
  form: FieldForm & { kind: "text" },
  position: number,
  syntax: PlainSyntax,
): string {
  const { limit, inBytes, trim, characterBytes } = form;
  const { quote, escapedBy } = syntax;
  const zero = (name: string): string => `((${name} - ${eightTimes(1)}) & ~${name})`;
  const escapes = escapedBy < 0 ? "" : `let e = w ^ ${eightTimes(escapedBy)};`;
  const stops = [zero("a"), ...(escapedBy < 0 ? [] : [zero("e")]), "w"].join(" | ");
  const inQuotes = `
    p += 1;
    while (1) {
      let w = load64(p);
      store64(o, w);
      let a = w ^ ${eightTimes(quote & 255)};
      ${escapes}
      let m = (${stops}) & ${eightTimes(0x80)};
      if (m != 0) {
        let k = i32(ctz(m) >>> 3L);
        p += k;
        o += k;
        break;
      }
      p += 8;
      o += 8;
    }
    ${beyondAscii(INSIDE, characterBytes)}
    if (load8(p) != ${quote}) { return 0; }
    p += 1;
    ${syntax.textIsQuoted ? "" : quotedMarker(syntax)}`;
  const outside = `
    let c = load8(p);
    while (load8(c, ${OUTSIDE}) == 0) {
      store8(o, c);
      o += 1;
      p += 1;
      c = load8(p);
    }
    ${beyondAscii(OUTSIDE, characterBytes)}`;
  const either =
    quote < 0
      ? outside
      : syntax.textIsQuoted
        ? `if (load8(p) != ${quote}) { return 0; } ${inQuotes}`
        : `if (load8(p) == ${quote}) { ${inQuotes} } else { ${outside} }`;
  const trimming = trim ? "while (o > s && load8(o - 1) == 32) { o -= 1; }" : "";
  const shorter = characterBytes > 1 && !inBytes ? "o - s - more" : "o - s";
  const keep = column.located ? `x${position} = more;` : "";
  return `{ let s = o; let more = 0; ${either} ${trimming} if (${shorter} > ${limit}) { return 0; } ${keep} }`;
}

/** The rest of a text that is not ASCII; `more` is what its characters have beyond one byte each. */
function beyondAscii(classes: number, characterBytes: number): string {
  if (characterBytes === 1) return "";
  return `if (load8(p) >= 128) {
      let from = p;
      p = utf8Text(p, o, ${classes}, ${characterBytes});
      if (p == 0) { return 0; }
      o += p - from;
      more = i32(number);
    }`;
}

/** A quoted text that may be a NULL marker is for the scanner, which counts it. */
function quotedMarker({ nulls }: PlainSyntax): string {
  if (nulls.length === 0) return "";
  const longest = Math.max(...nulls.map((marker) => marker.length));
  const empty = nulls.some((marker) => marker.length === 0) ? 1 : 0;
  return `if (o - s <= ${longest}) {
      if (o == s) { if (${empty}) { return 0; } }
      else if (load8(load8(s), ${MARKER_BEGIN})) { return 0; }
    }`;
}
