import { assert } from "../base/mod.ts";
import { newFields } from "../codec/mod.ts";
import { isIdentity } from "./charset.ts";
import { CsvScanner } from "./csv-scanner.ts";
import { CsvSkipper } from "./csv-skip.ts";
import { CsvTokens, Token } from "./csv-tokens.ts";
import type { Cut, CutInput, PlanOptions } from "./plan.ts";
import type { DataFile } from "./router.ts";
import { Scan } from "./row-scanner.ts";
import type { Storage } from "./storage.ts";
import { Window } from "./window.ts";
import { WindowFeed } from "./window-feed.ts";

const WINDOW_BYTES = 1024 * 1024;

type CutOptions = PlanOptions & { readonly chunkBytes: number };

/** Cuts a large CSV file before rows, about `chunkBytes` apart. */
export async function* csvCuts(
  storage: Storage,
  file: DataFile,
  { source, sizeBytes }: CutInput,
  options: CutOptions,
): AsyncGenerator<Cut> {
  const { dialect } = file;
  assert(dialect !== undefined, "a CSV file has a dialect");
  const feed = new WindowFeed(source, {
    file: file.file.path,
    start: 0,
    charset: file.charset,
    replacement: options.invalidReplacement,
    windowBytes: Math.min(WINDOW_BYTES, sizeBytes),
  });
  try {
    const head = await readHead(feed, file, options);
    const { columns } = head.scanner;
    const { charset } = feed;
    const ends =
      Number.isFinite(sizeBytes) && strictEnds(file, feed, options)
        ? strictRowEnds(storage, file, options)
        : provedRowEnds(feed, file, head, options, sizeBytes);
    let start = 0;
    let rowsBefore = 0;
    for await (const { at, rows, last } of ends) {
      const counted = rows === undefined ? undefined : rows - rowsBefore;
      const own = start === 0 ? undefined : columns;
      if (at > start || start === 0)
        yield {
          start,
          end: at,
          endsInFile: !last,
          columns: own,
          sql: undefined,
          rowsBefore,
          rowCount: counted,
          charset,
        };
      start = at;
      rowsBefore = rows ?? 0;
    }
  } finally {
    await feed.close();
  }
}

interface RowEnd {
  /** Position in the file. */
  readonly at: number;
  /** Rows before it, the header not counted. */
  readonly rows: number | undefined;
  /** It is the file's end. */
  readonly last: boolean;
}

interface Head {
  readonly scanner: CsvScanner;
  /** The first row was read; it counts. */
  readonly done: boolean;
}

/** Reads up to the first row, with it the header. */
async function readHead(feed: WindowFeed, file: DataFile, options: CutOptions): Promise<Head> {
  const scanner = new CsvScanner({
    file: file.file.path,
    dialect: file.dialect!,
    atFileStart: true,
    columnCount: options.columnCount,
    placeOf: (position) => feed.sourcePosition(position),
  });
  const fields = newFields(64);
  while (await feed.fill(1)) {
    const result = scanner.next(feed.window, fields);
    if (result !== Scan.more) return { scanner, done: result === Scan.row };
  }
  return { scanner, done: false };
}

/** Whether cutting by line ends alone was asked for and is possible: bytes are positions, and a line end is one token. */
function strictEnds(file: DataFile, feed: WindowFeed, options: CutOptions): boolean {
  return options.strictFormat === true && isIdentity(file.charset) && isIdentity(feed.charset);
}

/** Row ends about `chunkBytes` apart and the file's end, found by going over all of it. */
async function* provedRowEnds(
  feed: WindowFeed,
  file: DataFile,
  { scanner, done }: Head,
  options: CutOptions,
  sizeBytes: number,
): AsyncGenerator<RowEnd> {
  const dialect = file.dialect!;
  const tokens = new CsvTokens(dialect);
  const skipper = CsvSkipper.fits(tokens, dialect) ? new CsvSkipper(tokens, scanner.blankIsRow) : undefined;
  const fields = newFields(64);
  const { window } = feed;
  if (!done && window.final) {
    yield { at: feed.sourcePosition(window.base + window.end), rows: scanner.rowNumber, last: true };
    return;
  }
  const rowsOf = (): number => scanner.rowNumber + (skipper?.rowCount ?? 0);
  let goal = options.chunkBytes;
  do {
    options.signal?.throwIfAborted();
    for (;;) {
      const found = skipper === undefined ? scanTo(scanner, feed, fields, goal) : skipTo(skipper, feed, goal);
      if (!found) break;
      const at = feed.sourcePosition(window.base + window.start);
      if (at >= sizeBytes) break;
      yield { at, rows: rowsOf(), last: false };
      goal = at + options.chunkBytes;
    }
  } while (await feed.fill(rowsOf() + 1));
  // A last row without line end was not counted by the skipper.
  const rows = rowsOf() + (skipper?.unfinished === true ? 1 : 0);
  yield { at: feed.sourcePosition(window.base + window.end), rows, last: true };
}

/** Moves the window's start behind the first row that ends at or behind the position `goal`; false: it is not in the window. */
function scanTo(scanner: CsvScanner, feed: WindowFeed, fields: ReturnType<typeof newFields>, goal: number): boolean {
  const { window } = feed;
  while (scanner.next(window, fields) === Scan.row) {
    if (feed.sourcePosition(window.base + window.start) >= goal) return true;
  }
  return false;
}

function skipTo(skipper: CsvSkipper, feed: WindowFeed, goal: number): boolean {
  const { window } = feed;
  // Where the source is converted, its positions and the window's differ: look at the row ends of a window one by one then.
  const identity = isIdentity(feed.charset);
  const offset = identity ? goal - feed.sourcePosition(window.base) : 0;
  for (;;) {
    const end = skipper.skip(window, offset);
    if (end < 0) return false;
    if (identity || feed.sourcePosition(window.base + end) >= goal) return true;
  }
}

/** Row ends by the promise that each line end is one. */
async function* strictRowEnds(storage: Storage, file: DataFile, options: CutOptions): AsyncGenerator<RowEnd> {
  const size = file.file.sizeBytes;
  const tokens = new CsvTokens(file.dialect!);
  const object = await storage.open(file.file.path);
  try {
    let at = 0;
    while (size - at > options.chunkBytes * 1.1) {
      options.signal?.throwIfAborted();
      const window = new Window(WINDOW_BYTES);
      window.base = at + options.chunkBytes;
      const end = await lineEnd(window, tokens, (into, position) => object.read(into, position));
      if (end >= size) break;
      yield { at: end, rows: undefined, last: false };
      at = end;
    }
  } finally {
    await object.close();
  }
  yield { at: size, rows: undefined, last: true };
}

/** Position behind the first line end in the stream that begins at the window's base. */
async function lineEnd(
  window: Window,
  tokens: CsvTokens,
  read: (into: Uint8Array, position: number) => Promise<number>,
): Promise<number> {
  let at = 0;
  for (;;) {
    window.makeRoom(WINDOW_BYTES / 16);
    const size = await read(window.bytes.subarray(window.end, window.end + window.room), window.base + window.end);
    window.end += size;
    window.final = size === 0;
    for (; at < window.end; at++) {
      const match = tokens.matchTerminator(window.bytes, at, window.end, window.final);
      if (match === Token.plain) continue;
      if (match < 0) break;
      return window.base + at + (match >> 3);
    }
    if (window.final) return window.base + window.end;
  }
}
