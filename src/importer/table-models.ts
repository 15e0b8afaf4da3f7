import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { LevinError, textOf, utf8 } from "../base/mod.ts";
import { parseLosslessJson, stringifyLossless, type TableInfo } from "../schema/mod.ts";
import { physicalTables } from "./key-ranges.ts";
import { ArrayElements } from "./table-list.ts";

/** A model as it is kept. */
interface Kept {
  readonly id: number;
  /** Of the table, or of its partitions. */
  readonly physicalIds: readonly number[];
  readonly columnCount: number;
  /** Of what decides a table's pairs. */
  readonly digest: string;
  readonly packed: Uint8Array;
  readonly textBytes: number;
}

/** Objects of models that stay at hand: as many as have so much text. */
const OPEN_TEXT_BYTES = 256 << 10;
/** What a map's entry, its name and its object take beside the packed text. */
const KEPT_OVERHEAD_BYTES = 512;
/** Deflate looks no further back. */
const DICTIONARY_BYTES_MAX = 32 << 10;

/**
 * The models of an import's tables by `db.table`. Those of ten thousand tables are 180 MiB as objects and 30 as text, so they are kept packed
 * with the first one as a dictionary (a hundred bytes for a table like others, 10 µs to unpack and as much to parse), and the last ones that were
 * asked for as objects.
 */
export class TableModels {
  readonly #kept = new Map<string, Kept>();
  #dictionary = new Uint8Array(0);
  #keptBytes = 0;
  readonly #open = new Map<string, TableInfo>();
  #openTextBytes = 0;

  get size(): number {
    return this.#kept.size;
  }

  /** Memory that they take, about. */
  get bytes(): number {
    return this.#keptBytes + this.#dictionary.length;
  }

  /** `text`: what `info` was parsed from; absent: it was made here. */
  add(name: string, info: TableInfo, text: Uint8Array = utf8(stringifyLossless(info))): void {
    if (this.#kept.size === 0) this.#dictionary = text.slice(0, DICTIONARY_BYTES_MAX);
    const packed = deflateRawSync(text, { level: 1, dictionary: this.#dictionary });
    const before = this.#kept.get(name);
    if (before !== undefined) this.#keptBytes -= before.packed.length + KEPT_OVERHEAD_BYTES;
    this.#forget(name);
    this.#keptBytes += packed.length + KEPT_OVERHEAD_BYTES;
    this.#kept.set(name, {
      id: info.id,
      physicalIds: physicalTables(info).map(({ id }) => id),
      columnCount: info.cols.filter((column) => !column.hidden).length,
      digest: digestOf(info),
      packed,
      textBytes: text.length,
    });
  }

  has(name: string): boolean {
    return this.#kept.has(name);
  }

  names(): IterableIterator<string> {
    return this.#kept.keys();
  }

  /** A model that is asked for again may be another object. */
  get(name: string): TableInfo | undefined {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const text = this.textOf(name);
    if (text === undefined) return undefined;
    const info = parseTableInfo(text);
    this.#open.set(name, info);
    this.#openTextBytes += this.#kept.get(name)!.textBytes;
    for (const [oldest] of this.#open) {
      if (this.#openTextBytes <= OPEN_TEXT_BYTES || oldest === name) break;
      this.#forget(oldest);
    }
    return info;
  }

  /** JSON, for another thread. */
  textOf(name: string): string | undefined {
    const kept = this.#kept.get(name);
    return kept && textOf(inflateRawSync(kept.packed, { dictionary: this.#dictionary }));
  }

  idOf(name: string): number | undefined {
    return this.#kept.get(name)?.id;
  }

  /** Ids that keys of the table's pairs begin with. */
  physicalIdsOf(name: string): readonly number[] {
    return this.#kept.get(name)?.physicalIds ?? [];
  }

  /** Visible ones. */
  columnCountOf(name: string): number {
    return this.#kept.get(name)!.columnCount;
  }

  /** What a run of the same import must find as it is now. */
  definitionOf(name: string): string {
    const { id, digest } = this.#kept.get(name)!;
    return `id ${id}, definition ${digest}`;
  }

  #forget(name: string): void {
    if (!this.#open.delete(name)) return;
    this.#openTextBytes -= this.#kept.get(name)!.textBytes;
  }
}

const bigintAsText = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

/** Digest of what decides a table's pairs; allocators and times move without changing it. */
function digestOf(info: TableInfo): string {
  const { auto_inc_id: _a, auto_rand_id: _b, update_timestamp: _c, ...rest } = info;
  let text: string;
  try {
    text = JSON.stringify(rest);
  } catch {
    // Hardly one has a bigint left, and a function asked for each member takes five times as long.
    text = JSON.stringify(rest, bigintAsText);
  }
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Integers of this many digits may be beyond 2^53. */
const LONG = /\d{16}/;
/** In each model of a TiDB: the time of its last change. In a string the quotes would have backslashes. */
const STAMP = /"update_timestamp": ?(\d{16,19})(?=[,}\s])/;

/** A model from its JSON; integers beyond 2^53 are exact. Throws SyntaxError. */
export function parseTableInfo(text: string): TableInfo {
  const stamp = STAMP.exec(text);
  const behind = stamp === null ? 0 : stamp.index + stamp[0].length;
  const isPlain =
    !LONG.test(stamp === null ? text : text.slice(behind)) && !LONG.test(text.slice(0, stamp?.index ?? 0));
  // Keeping integers exact takes ten times as long as parsing.
  if (!isPlain) return parseLosslessJson(text) as TableInfo;
  const info = JSON.parse(text) as TableInfo;
  if (stamp === null) return info;
  if (typeof info?.update_timestamp !== "number" || info.update_timestamp !== Number(stamp[1]))
    return parseLosslessJson(text) as TableInfo;
  const exact = BigInt(stamp[1]!);
  info.update_timestamp = exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
  return info;
}

/** Reads the list that TiDB's status port gives at `/schema/{db}`, in whatever parts it comes; `onTable` gets each table's model and its text. */
export class TableListReader {
  readonly #elements: ArrayElements;
  #failure: { thrown: unknown } | undefined;

  constructor(onTable: (info: TableInfo, text: Uint8Array) => void) {
    this.#elements = new ArrayElements((text) => {
      const info = parseTableInfo(textOf(text));
      if (typeof info?.id !== "number" || !Array.isArray(info.cols ?? [])) throw noList();
      onTable(info, text);
    });
  }

  /** What is wrong is thrown by `end`: it is no fault of the connection. */
  take(part: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      this.#elements.take(part);
    } catch (thrown) {
      this.#failure = { thrown };
    }
  }

  /** Throws SyntaxError, `Levin:Schema:ErrSyntax` and what `onTable` has thrown. A database without tables is `null`. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure.thrown;
    if ((this.#elements.end() ?? null) !== null) throw noList();
  }
}

function noList(): LevinError {
  return new LevinError(
    "Levin:Schema:ErrSyntax",
    "Cannot read table models: TiDB's status port gave no list of tables",
  );
}

/** The list as a whole. */
export function parseTableInfoList(text: string): TableInfo[] {
  const tables: TableInfo[] = [];
  const reader = new TableListReader((info) => tables.push(info));
  reader.take(utf8(text));
  reader.end();
  return tables;
}
