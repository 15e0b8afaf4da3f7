import { textOf } from "../base/mod.ts";
import { FieldKind, newFields } from "../codec/mod.ts";
import { type Charset, invalidUtf8At } from "./charset.ts";
import { type CsvDialect, defaultCsvDialect } from "./csv-dialect.ts";
import { CsvScanner } from "./csv-scanner.ts";
import { type Compression, type DataFormat, stripCompression } from "./file-name.ts";
import { Scan } from "./row-scanner.ts";
import { openPlain } from "./schema-files.ts";
import type { Storage, StoredFile } from "./storage.ts";
import { Window } from "./window.ts";
import { WindowFeed } from "./window-feed.ts";

/** What a file seems to be, from its begin. */
export interface Detection {
  readonly format: DataFormat;
  readonly compression: Compression;
  readonly charset: Charset;
  /** Of CSV files. */
  readonly dialect: CsvDialect | undefined;
  /** Names of the header, or `column 1`, … */
  readonly columns: readonly string[];
  /** The first rows; NULL as null. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** What could not be told, or looks odd. */
  readonly notes: readonly string[];
  /** Why it is no text of rows at all; then the rest means nothing. */
  readonly garbage?: string;
}

/** Bytes looked at. */
const SAMPLE_BYTES = 1024 * 1024;
const ROWS_SHOWN = 10;
const ROWS_READ_MAX = 2000;

/** Guesses how a file is written. A guess is for people to look at; an import never uses it unasked. */
export async function detectFile(storage: Storage, file: StoredFile): Promise<Detection> {
  const { compression } = stripCompression(file.path);
  const source = await openPlain(storage, file, compression);
  const feed = new WindowFeed(source, { file: file.path, start: 0, charset: "utf8", windowBytes: SAMPLE_BYTES });
  try {
    await feed.fill(1);
    const { bytes, end, final } = feed.window;
    let sample = bytes.subarray(0, end);
    let { charset } = feed;
    if (charset === "utf8" && invalidUtf8At(sample, 0, wholeText(sample, final)) >= 0) charset = "binary";
    if (!final && sample.length > SAMPLE_BYTES) sample = sample.subarray(0, SAMPLE_BYTES);
    const notes = charset === "binary" ? ["it has bytes that are not UTF-8: name the character set of its text"] : [];
    if (looksLikeSql(sample)) {
      return { format: "sql", compression, charset, dialect: undefined, columns: [], rows: [], notes };
    }
    return { format: "csv", compression, charset, ...detectCsv(sample, final, notes, charset) };
  } finally {
    await feed.close();
  }
}

/** Length without a character that the sample's end cuts. */
function wholeText(sample: Uint8Array, final: boolean): number {
  let end = sample.length;
  if (final) return end;
  while (end > sample.length - 4 && end > 0 && (sample[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && sample[end - 1]! >= 0xc0 ? end - 1 : end;
}

function looksLikeSql(sample: Uint8Array): boolean {
  const head = textOf(sample.subarray(0, 4096));
  return /^(?:\s|--[ -].*\n|#.*\n|\/\*[\s\S]*?\*\/;?)*(?:INSERT|REPLACE|CREATE|SET|USE|DROP|LOCK)\s/i.test(head);
}

interface Trial {
  readonly dialect: CsvDialect;
  readonly rows: (string | null)[][];
  /** Fields of most rows, and the part of the rows that have so many. */
  readonly width: number;
  readonly agreement: number;
  readonly quotedCount: number;
  readonly failed: boolean;
}

function detectCsv(
  sample: Uint8Array,
  final: boolean,
  notes: readonly string[],
  charset: Charset,
): Pick<Detection, "dialect" | "columns" | "rows" | "notes" | "garbage"> {
  const trials = candidates(sample).map((dialect) => tryDialect(sample, final, dialect));
  const best = trials.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const header = looksLikeHeader(best.rows);
  const columns = header
    ? best.rows[0]!.map((name) => name ?? "")
    : Array.from({ length: best.width }, (_, k) => `column ${k + 1}`);
  const more = [...notes];
  if (best.failed) more.push("part of it cannot be read so; look at the quotes and escapes");
  if (best.agreement < 1) more.push("its rows do not have the same number of fields");
  if (best.width === 1) more.push("no separator was found: it may have one column");
  const rows = best.rows.slice(header ? 1 : 0, ROWS_SHOWN + 1);
  const garbage = garbageOf(sample, charset, best);
  const found = { dialect: { ...best.dialect, header }, columns, rows, notes: more };
  return garbage === undefined ? found : { ...found, garbage };
}

/** Of the sample's bytes: more than so many that no text has, in a file whose rows make no sense, are no values of binary columns. */
const CONTROL_PART = 0.02;

function garbageOf(sample: Uint8Array, charset: Charset, { width, agreement, failed }: Trial): string | undefined {
  const makesSense = width > 1 && agreement > 0.9 && !failed;
  if (makesSense || sample.length === 0) return undefined;
  const magic = textOf(sample.subarray(0, 4));
  if (magic === "PAR1") return "it is a Parquet file, which levin does not read";
  let control = 0;
  for (const byte of sample) if (byte === 0x7f || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)) control++;
  if (charset !== "utf16le" && charset !== "utf16be" && control > CONTROL_PART * sample.length)
    return "it is no text: it has control characters all over, and no separator makes rows of it";
  return agreement < 0.5 ? "no separator makes rows of it" : undefined;
}

/** Dialects worth a try, in order of how common they are. */
function candidates(sample: Uint8Array): CsvDialect[] {
  const text = textOf(sample.subarray(0, 65536));
  const out: CsvDialect[] = [];
  const terminators = ["", "\n", "\r\n", ...unusualTerminator(text)].filter((one) => text.includes(one));
  const separators = [",", "\t", ";", "|", "|+|", "||", "\u0001", ":"]
    .filter((one) => text.includes(one))
    .filter((one, _, all) => !all.some((other) => other !== one && isPartOf(text, one, other)));
  for (const separator of separators.length > 0 ? separators : [","]) {
    for (const delimiter of ['"', "'", ""]) {
      for (const escapedBy of text.includes("\\") ? ["\\", ""] : ["\\"]) {
        for (const terminator of terminators) {
          const nulls = text.includes("\\N") && escapedBy !== "" ? ["\\N"] : guessNulls(text, separator);
          out.push({ ...defaultCsvDialect, header: false, separator, delimiter, escapedBy, terminator, nulls });
        }
      }
    }
  }
  return out;
}

/** What all lines end with, quotes aside, where that is no part of a value. */
function unusualTerminator(text: string): string[] {
  const lines = text.split("\n").slice(0, 20);
  if (lines.length < 3) return [];
  lines.pop();
  let suffix = lines[0]!;
  for (const line of lines) while (!line.endsWith(suffix)) suffix = suffix.slice(1);
  suffix = suffix.replace(/^.*["']/s, "").replace(/\r$/, "");
  return suffix.length > 1 && !/^[\w.:-]*$/.test(suffix) ? [`${suffix}\n`] : [];
}

/** Every occurrence of the separator belongs to one of a longer separator. */
function isPartOf(text: string, separator: string, longer: string): boolean {
  const count = (all: string, part: string): number => all.split(part).length - 1;
  const inside = count(longer, separator);
  return inside > 0 && longer.length > separator.length && count(text, separator) === inside * count(text, longer);
}

function guessNulls(text: string, separator: string): string[] {
  const bare = text.split(/[\r\n]/, 200).flatMap((line) => line.split(separator));
  return bare.includes("NULL") ? ["NULL"] : ["\\N"];
}

function tryDialect(sample: Uint8Array, final: boolean, dialect: CsvDialect): Trial {
  const scanner = new CsvScanner({ file: "", dialect, atFileStart: true });
  const window = new Window(sample.length);
  window.append(sample);
  window.final = final;
  const fields = newFields(64);
  const rows: (string | null)[][] = [];
  const widths = new Map<number, number>();
  let failed = false;
  let quotedCount = 0;
  const quote = dialect.delimiter.charCodeAt(0);
  try {
    while (rows.length < ROWS_READ_MAX && scanner.next(window, fields) === Scan.row) {
      const row: (string | null)[] = [];
      for (let k = 0; k < fields.count; k++) {
        const from = fields.start[k]!;
        if (from > 0 && sample[from - 1] === quote && fields.kind[k] !== FieldKind.null) quotedCount++;
        row.push(fields.kind[k] === FieldKind.null ? null : textOf(fields.bytes.subarray(from, fields.end[k]!)));
      }
      rows.push(row);
      widths.set(row.length, (widths.get(row.length) ?? 0) + 1);
    }
  } catch {
    failed = true;
  }
  const [width, count] = [...widths].reduce((a, b) => (b[1] > a[1] ? b : a), [0, 0]);
  return { dialect, rows, width, agreement: rows.length === 0 ? 0 : count / rows.length, quotedCount, failed };
}

/** Sound before unsound, several columns before one, equal rows before unequal, quotes in use before none, plain before special. */
function rank(trial: Trial): number {
  const sound = trial.failed ? 0 : 1;
  const columns = trial.width > 1 ? 1 : 0;
  const quotes = trial.quotedCount > 0 ? 1 : 0;
  return (
    sound * 1e6 +
    columns * 1e5 * trial.agreement +
    trial.agreement * 1e4 +
    quotes * 1e3 +
    Math.min(trial.width, 99) +
    (trial.dialect.delimiter === '"' ? 0.3 : 0) +
    (trial.dialect.terminator === "" ? 0.2 : 0) +
    (trial.dialect.escapedBy !== "" ? 0.1 : 0)
  );
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DATE = /^\d{4}-\d\d-\d\d/;

/** Names that differ, none of them a value; and a column whose values are of another kind than its name, or all look like names. */
function looksLikeHeader(rows: readonly (readonly (string | null)[])[]): boolean {
  const [first, ...rest] = rows;
  if (first === undefined) return false;
  const names = first.map((name) => name?.trim() ?? "");
  if (new Set(names).size !== names.length) return false;
  if (names.some((name) => name === "" || NUMBER.test(name) || DATE.test(name))) return false;
  if (rest.length === 0) return names.every((name) => /^\w+$/.test(name));
  return names.some((_, k) => {
    const values = rest.map((row) => row[k]).filter((value) => value !== null && value !== undefined && value !== "");
    return values.length > 0 && values.every((value) => NUMBER.test(value!) || DATE.test(value!));
  });
}

/** The lines of a configuration file that say what was found. */
export function detectionToml(detection: Detection): string {
  const { dialect, charset } = detection;
  const lines: string[] = [];
  if (charset !== "utf8" && charset !== "utf16le" && charset !== "utf16be") {
    lines.push("[mydumper]", `data-character-set = "${charset}"`);
  }
  if (dialect === undefined) return lines.join("\n");
  const text = (value: string): string => JSON.stringify(value);
  lines.push(
    "[mydumper.csv]",
    `separator = ${text(dialect.separator)}`,
    `delimiter = ${text(dialect.delimiter)}`,
    `terminator = ${text(dialect.terminator)}`,
    `escaped-by = ${text(dialect.escapedBy)}`,
    `null = [${dialect.nulls.map(text).join(", ")}]`,
    `header = ${dialect.header}`,
  );
  return lines.join("\n");
}
