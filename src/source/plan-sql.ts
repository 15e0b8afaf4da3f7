import { newFields } from "../codec/mod.ts";
import { type Charset, isUtf16 } from "./charset.ts";
import type { Cut, CutInput, PlanOptions } from "./plan.ts";
import type { DataFile } from "./router.ts";
import { Scan } from "./row-scanner.ts";
import { assertReadable, currentCharset } from "./sql-data.ts";
import { SqlScanner } from "./sql-scanner.ts";
import { newSqlSession, type SqlContext } from "./sql-session.ts";
import { WindowFeed } from "./window-feed.ts";

const WINDOW_BYTES = 1024 * 1024;

/** Cuts a large SQL file of one table behind rows, about `chunkBytes` apart. */
export async function* sqlCuts(
  file: DataFile,
  { source, sizeBytes }: CutInput,
  options: PlanOptions & { readonly chunkBytes: number },
): AsyncGenerator<Cut> {
  const name = file.file.path;
  const feed = new WindowFeed(source, {
    file: name,
    start: 0,
    charset: file.charset,
    replacement: options.invalidReplacement,
    windowBytes: Math.min(WINDOW_BYTES, sizeBytes),
  });
  let charset: Charset | undefined;
  const found: { at: number; sql: SqlContext; rows: number }[] = [];
  let goal = options.chunkBytes;
  const scanner: SqlScanner = new SqlScanner({
    file: name,
    session: newSqlSession(options.sqlMode),
    placeOf: (position) => feed.sourcePosition(position),
    onStatement: () => undefined,
    onInsert: () => assertReadable(scanner.session.charset, name),
    onSkippedRow: (position, rows) => {
      if (position < goal) return;
      const at = feed.sourcePosition(position);
      if (at < goal) return;
      found.push({ at, sql: scanner.context(), rows });
      goal = at + options.chunkBytes;
    },
  });
  const fields = newFields(1);
  let start = 0;
  let rowsBefore = 0;
  let sql: SqlContext | undefined;
  const cut = (end: number, rows: number, endsInFile: boolean): Cut => {
    return { start, end, endsInFile, columns: undefined, sql, rowsBefore, rowCount: rows - rowsBefore, charset };
  };
  try {
    while (await feed.fill(scanner.rowNumber + 1)) {
      options.signal?.throwIfAborted();
      charset ??= isUtf16(feed.charset) ? feed.charset : file.charset;
      while (scanner.next(feed.window, fields) === Scan.recode) {
        feed.recode(currentCharset(scanner.session.charset, file.charset));
      }
      for (const { at, sql: context, rows } of found.splice(0)) {
        yield cut(at, rows, at < sizeBytes);
        start = at;
        sql = context;
        rowsBefore = rows;
      }
    }
    const { window } = feed;
    const end = feed.sourcePosition(window.base + window.end);
    if (end > start || start === 0) yield cut(end, scanner.rowNumber, false);
  } finally {
    await feed.close();
  }
}
