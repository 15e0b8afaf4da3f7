import { LevinError } from "../base/mod.ts";

/**
 * How a CSV file is written. The names are those of Lightning's `[mydumper.csv]` in camel case; the last seven are levin's own.
 * All strings are text and are compared as UTF-8 bytes.
 */
export interface CsvDialect {
  /** Between fields; one or more bytes. */
  readonly separator: string;
  /** Quotes a field; empty: no quoting. */
  readonly delimiter: string;
  /** Ends a row; empty: CR, LF and CRLF alike. */
  readonly terminator: string;
  /** Escape character; empty: none. `\0 \b \n \r \t \Z` stand for control bytes, any other character for itself. */
  readonly escapedBy: string;
  /** Texts of unquoted fields that are NULL. */
  readonly nulls: readonly string[];
  /** No field is ever NULL. */
  readonly notNull: boolean;
  /** The first row that is not blank names the columns. */
  readonly header: boolean;
  /** Columns go by the header's names; false: the header is skipped and columns go by position. */
  readonly headerSchemaMatch: boolean;
  /** An empty field at a row's end is dropped: every row ends with a separator. */
  readonly trimLastSeparator: boolean;
  /** Each row begins with this text (LINES STARTING BY); what stands before it in a line is skipped. */
  readonly startingBy: string;
  /** Lines to skip before the header. */
  readonly skipLines: number;
  /** What a line without content is: nothing, a row of one empty field, or ("auto") the latter in files of one column. */
  readonly blankLines: "auto" | "skip" | "row";
  /** A quoted NULL marker is text (levin's default); false: it is NULL, as Lightning reads it. */
  readonly quotedNullIsText: boolean;
  /** Quotes inside quoted fields stand as they are; a field ends at a quote before a separator or terminator (ESCAPED BY ''). */
  readonly unescapedQuote: boolean;
  /** How values of binary columns are written: Dumpling's `--csv-output-dialect redshift` is hex, `bigquery` is base64. */
  readonly binaryFormat: "raw" | "hex" | "base64";
}

export const defaultCsvDialect: CsvDialect = {
  separator: ",",
  delimiter: '"',
  terminator: "",
  escapedBy: "\\",
  nulls: ["\\N"],
  notNull: false,
  header: true,
  headerSchemaMatch: true,
  trimLastSeparator: false,
  startingBy: "",
  skipLines: 0,
  blankLines: "auto",
  quotedNullIsText: true,
  unescapedQuote: false,
  binaryFormat: "raw",
};

/**
 * The rules of Lightning's configuration check, and those that keep a file readable in one way only.
 * @throws LevinError `Levin:Config:ErrInvalid`.
 */
export function checkCsvDialect(dialect: CsvDialect): void {
  const { separator, delimiter, terminator, escapedBy } = dialect;
  if (separator === "") throw invalid("separator must not be empty");
  if (delimiter !== "" && (separator.startsWith(delimiter) || delimiter.startsWith(separator))) {
    throw invalid("separator and delimiter must not be prefixes of each other");
  }
  if ([...escapedBy].length > 1) throw invalid("escaped-by must be empty or one character");
  if (escapedBy !== "" && [separator, delimiter, terminator].includes(escapedBy)) {
    throw invalid("escaped-by must differ from separator, delimiter and terminator");
  }
  if (terminator !== "" && (terminator === separator || terminator === delimiter)) {
    throw invalid("terminator must differ from separator and delimiter");
  }
  if (dialect.skipLines < 0 || !Number.isInteger(dialect.skipLines)) {
    throw invalid("skip-lines must be a whole number of at least 0");
  }
}

function invalid(detail: string): LevinError {
  return new LevinError("Levin:Config:ErrInvalid", `Cannot use the CSV settings: ${detail}`, {
    fields: { key: "mydumper.csv" },
  });
}
