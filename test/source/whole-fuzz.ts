/**
 * Damaged dumps on the whole way: names and statements, cutting, reading, casting, encoding. Nothing but pairs and proper errors; the same
 * pairs, or an error too, when the source is cut into small chunks.
 */
import assert from "node:assert/strict";
import { LevinError, type Random, seededRandom } from "../../src/base/mod.ts";
import { KvChecksum, newFields, type PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeSession, RowShape } from "../../src/encoder/mod.ts";
import { parseSqlMode, runScript, type TableInfo } from "../../src/schema/mod.ts";
import {
  ChunkReader,
  charsetOfColumn,
  loadSource,
  planChunks,
  retarget,
  type SourceTable,
  SqlScanner,
} from "../../src/source/mod.ts";
import { plainSession } from "../encoder/plain-session.ts";
import { pick } from "./csv-fuzz.ts";
import { archive } from "./dumps.ts";
import { MemoryStorage } from "./memory-storage.ts";

/** Larger files would make a case take long. */
const FILE_BYTES_MAX = 30_000;
const SPECIAL = new TextEncoder().encode("'\"\\`,;()*/#-\n\0%09:.eE+xN");

interface Subject {
  files: Record<string, Uint8Array>;
  damaged: string;
}

let subjects: Subject[] | undefined;

/** Each data file with its table's schema file, and each dump that has both. */
function allSubjects(): Subject[] {
  const out: Subject[] = [];
  for (const [path, bytes] of archive()) {
    if (bytes.length === 0 || bytes.length > FILE_BYTES_MAX || path.startsWith("broken/")) continue;
    const name = path.split("/").at(-1)!;
    const schema = path.replace(/(?:\.\d+)?\.(?:sql|csv)$/, "-schema.sql");
    const beside = archive().get(schema);
    if (/-schema/.test(name)) continue;
    if (/^[^.]+\.[^.]+(\.\d+)?\.(sql|csv)$/.test(name) && beside !== undefined)
      out.push({ files: { [schema.split("/").at(-1)!]: beside, [name]: bytes }, damaged: name });
    else if (/^[^.]+\.sql$/.test(name)) out.push({ files: { [name]: bytes }, damaged: name });
  }
  return out;
}

function damage(random: Random, original: Uint8Array): Uint8Array {
  let bytes = original.slice();
  for (let changes = Math.floor(random.next() * 5); changes > 0; changes--) {
    const at = Math.floor(random.next() * bytes.length);
    bytes[at] = random.next() < 0.4 ? Math.floor(random.next() * 256) : pick(random, [...SPECIAL]);
  }
  if (random.next() < 0.15) bytes = bytes.slice(0, Math.floor(random.next() * bytes.length));
  if (random.next() < 0.1) {
    const from = Math.floor(random.next() * bytes.length);
    const to = Math.min(bytes.length, from + Math.floor(random.next() * 200));
    const doubled = new Uint8Array(bytes.length + to - from);
    doubled.set(bytes.subarray(0, to));
    doubled.set(bytes.subarray(from), to);
    bytes = doubled;
  }
  return bytes;
}

/** Sums up pairs without keeping them. */
class SumSink implements PairSink {
  readonly sums = new KvChecksum();
  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.sums.add(key, keyLength, value, valueLength);
  }
}

const session: EncodeSession = {
  ...plainSession,
  sqlMode: "STRICT_TRANS_TABLES",
  nowMs: 1.7e12,
};

function modelOf(table: SourceTable): TableInfo | undefined {
  const { create, database } = table;
  if (create === undefined) return undefined;
  const text = `${retarget(create, { database, name: table.table })};\n`;
  const ddl = { sqlMode: parseSqlMode(create.sqlMode ?? ""), timeZone: "UTC", database, newCollation: true };
  const catalog = runScript(text, { ...ddl, clusteredIndex: "on", nowMs: session.nowMs });
  return catalog.tables(database)[0];
}

async function encodeTable(storage: MemoryStorage, table: SourceTable, chunkBytes: number): Promise<string> {
  const info = modelOf(table);
  if (info === undefined) return "no table";
  const sink = new SumSink();
  const visible = info.cols.filter((column) => !column.hidden);
  const columnNames = visible.map((column) => column.name.O);
  const codings = new Map(
    visible.flatMap((column) => {
      const charset = charsetOfColumn(table.columnText, column.type.Charset);
      return charset === undefined ? [] : [[column.name.L, charset] as const];
    }),
  );
  const encoders = new Map<string | undefined, ReturnType<typeof compileTable>>();
  const fields = newFields(8);
  let rows = 0;
  for await (const chunk of planChunks(storage, table.files, { chunkBytes, columnCount: visible.length })) {
    const reader = await ChunkReader.open(storage, chunk, { columnCount: visible.length, columnNames, codings });
    const { scanner } = reader;
    const shape = new RowShape(info, chunk.extraColumns, false);
    let version = -1;
    let bound: ReturnType<typeof compileTable> | undefined;
    let id = chunk.rowIdBase;
    try {
      while (await reader.fill()) {
        while (reader.next(fields)) {
          const zone = scanner instanceof SqlScanner ? scanner.session.timeZone : undefined;
          const timeZone = zone ?? session.timeZone;
          const encoder =
            encoders.get(zone) ?? compileTable(info, { session: { ...session, timeZone }, record: sink, index: sink });
          encoders.set(zone, encoder);
          if (version !== scanner.columnsVersion || bound !== encoder) {
            if (bound !== encoder) encoder.startChunk(chunk.rowIdBase);
            version = scanner.columnsVersion;
            bound = encoder;
            shape.begin(scanner.columns, fields.count);
            encoder.bindColumns(shape.names);
          }
          encoder.encodeRow(shape.active ? shape.apply(fields) : fields, ++id);
          rows++;
        }
      }
    } finally {
      await reader.close();
    }
  }
  const { crc64xor, kvs, bytes } = sink.sums.result();
  return `${rows} rows, ${kvs} pairs, ${bytes} bytes, ${crc64xor}`;
}

/** Sums of all tables, or the error. */
async function wholeWay(storage: MemoryStorage, chunkBytes: number, place: string): Promise<string> {
  try {
    const source = await loadSource(storage, { database: "d", allowUnfinished: true, chunkBytes });
    const out: string[] = [];
    for (const table of source.tables) out.push(`${table.table}: ${await encodeTable(storage, table, chunkBytes)}`);
    return out.join("\n");
  } catch (thrown) {
    assert.ok(thrown instanceof LevinError, `${place}: ${thrown instanceof Error ? thrown.stack : thrown}`);
    assert.notEqual(thrown.code, "Levin:Internal:ErrUnexpected", `${place}: ${thrown.stack}`);
    return "error";
  }
}

/** One case; throws with the seed where something else happens. */
export async function fuzzWhole(seed: number): Promise<void> {
  subjects ??= allSubjects();
  const random = seededRandom(seed);
  const { files, damaged } = pick(random, subjects);
  const storage = new MemoryStorage({ ...files, [damaged]: damage(random, files[damaged]!) });
  const place = `seed ${seed}, ${damaged}`;
  const whole = await wholeWay(storage, 1 << 20, place);
  const cut = await wholeWay(storage, 50 + Math.floor(random.next() * 3000), place);
  assert.equal(cut, whole, place);
}
