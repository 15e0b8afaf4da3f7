import { FieldKind, newFields } from "../codec/mod.ts";
import { type CsvDialect, CsvScanner, defaultCsvDialect, Scan, Window } from "../source/mod.ts";

/** A dialect that reads the sample, and what it reads; NULL is null. */
export interface DetectedCsv {
  readonly dialect: CsvDialect;
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly (readonly (string | null)[])[];
}

const SEPARATORS = [",", "\t", ";", "|", "|+|", "\x01", ":"];
const DELIMITERS = ['"', "'", ""];
const ESCAPES = ["\\", ""];
const NULLS = ["\\N", "NULL", "null", "nil"];
const ROWS_MAX = 200;

/**
 * Guesses how a CSV file is written from its first bytes: the dialect under which the most rows have the same number of fields, more of
 * them before fewer. Undefined: none reads two fields a row. A guess is for people to look at; an import never guesses.
 */
export function detectCsv(sample: Uint8Array, isWhole: boolean): DetectedCsv | undefined {
  const lastLine = sample.lastIndexOf(0x0a);
  const text = isWhole || lastLine < 0 ? sample : sample.subarray(0, lastLine + 1);
  let best: { score: number; dialect: CsvDialect; rows: (string | null)[][] } | undefined;
  const shown = new TextDecoder().decode(text);
  for (const separator of SEPARATORS) {
    // A part of a longer separator would give more columns.
    if (SEPARATORS.some((one) => one !== separator && one.includes(separator) && shown.includes(one))) continue;
    for (const delimiter of DELIMITERS) {
      for (const escapedBy of ESCAPES) {
        const dialect = { ...defaultCsvDialect, separator, delimiter, escapedBy, header: false };
        const rows = readSample(text, dialect);
        const score = rows === undefined ? 0 : scoreOf(rows);
        if (rows !== undefined && score > (best?.score ?? 0)) best = { score, dialect, rows };
      }
    }
  }
  if (best === undefined) return undefined;
  const cells = best.rows.flat();
  const nulls = NULLS.filter((marker) => marker === "\\N" || cells.includes(marker));
  const header = looksLikeHeader(best.rows);
  const rows = best.rows.map((row) => row.map((cell) => (cell !== null && nulls.includes(cell) ? null : cell)));
  const columns = header ? best.rows[0]!.map((cell) => cell ?? "") : undefined;
  return { dialect: { ...best.dialect, header, nulls }, columns, rows: header ? rows.slice(1) : rows };
}

function readSample(text: Uint8Array, dialect: CsvDialect): (string | null)[][] | undefined {
  const window = new Window(text.length);
  window.append(text);
  window.final = true;
  const scanner = new CsvScanner({ file: "sample", dialect, atFileStart: true });
  const fields = newFields(16);
  const decoder = new TextDecoder();
  const rows: (string | null)[][] = [];
  try {
    while (rows.length < ROWS_MAX && scanner.next(window, fields) === Scan.row) {
      const cell = (k: number) => decoder.decode(fields.bytes.subarray(fields.start[k]!, fields.end[k]!));
      rows.push(Array.from({ length: fields.count }, (_, k) => (fields.kind[k] === FieldKind.null ? null : cell(k))));
    }
  } catch {
    return undefined;
  }
  return rows;
}

/** Fields a row, and how many rows agree; what is still in quotes was not understood. */
function scoreOf(rows: readonly (readonly (string | null)[])[]): number {
  const counts = new Map<number, number>();
  let quoted = 0;
  for (const row of rows) {
    counts.set(row.length, (counts.get(row.length) ?? 0) + 1);
    if (row.some((cell) => cell !== null && /^(["']).*\1$/s.test(cell))) quoted++;
  }
  const [width, agreeing] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
  if (width < 2) return 0;
  return (agreeing / rows.length) ** 3 * Math.log2(width + 1) * (1 - quoted / rows.length / 2);
}

/** Names in the first row, and no row after it that could be names throughout. */
function looksLikeHeader([first, ...others]: readonly (readonly (string | null)[])[]): boolean {
  if (first === undefined) return false;
  const isName = (cell: string | null): boolean => cell !== null && /^[\p{L}_][\p{L}\p{N}_ .$-]*$/u.test(cell);
  if (!first.every(isName) || new Set(first).size !== first.length) return false;
  return others.length === 0 || others.some((row) => !row.every(isName)) || first.includes("id");
}

/** The lines of a configuration file that say this dialect. */
export function dialectToml(dialect: CsvDialect): string {
  const text = JSON.stringify;
  return [
    "[mydumper.csv]",
    `separator = ${text(dialect.separator)}`,
    `delimiter = ${text(dialect.delimiter)}`,
    `escaped-by = ${text(dialect.escapedBy)}`,
    `header = ${dialect.header}`,
    `null = [${dialect.nulls.map((one) => text(one)).join(", ")}]`,
    "",
  ].join("\n");
}
