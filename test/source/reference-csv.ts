/** CSV read slowly and plainly, byte by byte over a latin1 string: what the fast scanner must agree with. */
import type { CsvDialect } from "../../src/source/mod.ts";
import type { Cell } from "./scan.ts";

interface Field {
  raw: string;
  value: string;
  quoted: boolean;
  escaped: boolean;
}

const CONTROLS: Record<string, string> = { "0": "\0", b: "\b", n: "\n", r: "\r", t: "\t", Z: "\x1a" };

function bytesOf(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

export function referenceCsv(
  data: string,
  dialect: CsvDialect,
  columnCount?: number,
): { rows: Cell[][]; failed: boolean } {
  const separator = bytesOf(dialect.separator);
  const delimiter = bytesOf(dialect.delimiter);
  const terminator = bytesOf(dialect.terminator);
  const escaper = bytesOf(dialect.escapedBy);
  const startingBy = bytesOf(dialect.startingBy);
  const nulls = dialect.notNull ? [] : dialect.nulls.length === 0 ? [""] : dialect.nulls.map(bytesOf);
  const rows: Cell[][] = [];
  let pos = 0;

  const terminatorAt = (at: number): number => {
    if (terminator !== "") return data.startsWith(terminator, at) ? terminator.length : 0;
    if (data.startsWith("\r\n", at)) return 2;
    return data[at] === "\n" || data[at] === "\r" ? 1 : 0;
  };
  /** Length of what ends a field at `at`, or 0; the end of the data counts as a match of no length. */
  const fieldEnds = (at: number): boolean =>
    at >= data.length || terminatorAt(at) > 0 || data.startsWith(separator, at);
  const control = (char: string): string => CONTROLS[char] ?? char;

  function quoted(): Field {
    const from = pos + delimiter.length;
    const field: Field = { raw: "", value: "", quoted: true, escaped: false };
    pos = from;
    for (;;) {
      if (pos >= data.length) throw new Error("no closing quote");
      if (data.startsWith(delimiter, pos)) {
        const behind = pos + delimiter.length;
        if (dialect.unescapedQuote ? fieldEnds(behind) : !data.startsWith(delimiter, behind)) {
          if (!fieldEnds(behind)) throw new Error("text behind a quote");
          field.raw = data.slice(from, pos);
          pos = behind;
          return field;
        }
        field.value += delimiter;
        pos = dialect.unescapedQuote ? behind : behind + delimiter.length;
      } else if (escaper !== "" && data.startsWith(escaper, pos)) {
        pos += escaper.length;
        if (pos >= data.length) throw new Error("dangling escape");
        field.value += control(data[pos]!);
        pos++;
      } else {
        field.value += data[pos];
        pos++;
      }
    }
  }

  function unquoted(): Field {
    const from = pos;
    const field: Field = { raw: "", value: "", quoted: false, escaped: false };
    while (!fieldEnds(pos)) {
      if (delimiter !== "" && data.startsWith(delimiter, pos)) {
        if (!dialect.unescapedQuote) throw new Error("quote inside an unquoted field");
        field.value += delimiter;
        pos += delimiter.length;
      } else if (escaper !== "" && data.startsWith(escaper, pos)) {
        pos += escaper.length;
        if (pos >= data.length) throw new Error("dangling escape");
        if (pos === data.length - 1 && /[\r\n]/.test(data[pos]!)) throw new Error("escaped line end at the end");
        field.value += control(data[pos]!);
        field.escaped = true;
        pos++;
      } else {
        field.value += data[pos];
        pos++;
      }
    }
    field.raw = data.slice(from, pos);
    return field;
  }

  let separated = false;

  function record(): Field[] {
    const fields: Field[] = [];
    for (;;) {
      const opens = delimiter !== "" && !fieldEnds(pos) && data.startsWith(delimiter, pos);
      fields.push(opens ? quoted() : unquoted());
      if (pos >= data.length) break;
      const ends = terminatorAt(pos);
      if (ends > 0) {
        pos += ends;
        break;
      }
      pos += separator.length;
    }
    separated = fields.length > 1;
    const last = fields.at(-1)!;
    if (dialect.trimLastSeparator && fields.length > 1 && !last.quoted && last.raw === "") fields.pop();
    return fields;
  }

  function cell(field: Field): Cell {
    if (nulls.includes(field.raw)) {
      if (!field.quoted || !dialect.quotedNullIsText) return ["null", ""];
      return ["string", field.raw];
    }
    return ["string", field.value];
  }

  try {
    for (let k = 0; k < dialect.skipLines; k++) {
      while (pos < data.length && terminatorAt(pos) === 0) pos++;
      pos += pos < data.length ? terminatorAt(pos) : 0;
    }
    let headerDue = dialect.header;
    let columns = columnCount;
    for (;;) {
      if (startingBy !== "") {
        const found = data.indexOf(startingBy, pos);
        if (found < 0) break;
        pos = found + startingBy.length;
      }
      if (pos >= data.length) break;
      const fields = record();
      const first = fields[0]!;
      const blank = !separated && !first.quoted && !first.escaped && /^[\t\n\v\f\r ]*$/.test(first.raw);
      if (headerDue) {
        if (blank) continue;
        headerDue = false;
        columns = fields.length;
        continue;
      }
      const blankIsRow = dialect.blankLines === "row" || (dialect.blankLines === "auto" && columns === 1);
      if (blank && !blankIsRow) continue;
      rows.push(fields.map(cell));
    }
    return { rows, failed: false };
  } catch {
    return { rows, failed: true };
  }
}
