import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KvChecksum, newFields, type PairSink } from "../../src/codec/mod.ts";
import { compileTable } from "../../src/encoder/mod.ts";
import { PairArena } from "../../src/engine/mod.ts";
import { Catalog, DEFAULT_SQL_MODE, parseSqlMode } from "../../src/schema/mod.ts";
import { ChunkReader, loadSource, openLocalStorage, planChunks } from "../../src/source/mod.ts";

const dir = mkdtempSync(join(tmpdir(), "levin-allocation-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const ROWS = 250_000;
const ROUNDS = 4;
const CREATE = `CREATE TABLE t (id int NOT NULL, name varchar(40), price decimal(15,2), at date, n bigint,
  PRIMARY KEY (id) NONCLUSTERED, KEY n (n)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`;
/** An object a row shows as 5 (JavaScriptCore) to 30 bytes (V8); the heap of a loop that makes none moves by less than one. */
const BYTES_A_ROW_MAX = 2;

/** A sum of what the heap grew between two looks at it: what a collection frees meanwhile does not hide the rest. */
class HeapGrowth {
  bytes = 0;
  #last = process.memoryUsage().heapUsed;

  skip(): void {
    this.#last = process.memoryUsage().heapUsed;
  }

  look(): void {
    const now = process.memoryUsage().heapUsed;
    this.bytes += Math.max(0, now - this.#last);
    this.#last = now;
  }
}

function writeSource(): void {
  const pad = (n: number): string => String(n).padStart(2, "0");
  const rows = Array.from({ length: ROWS }, (_, i) => {
    return `${i},"name ${(i * 7919) % ROWS}",${i % 1000}.${pad(i % 100)},19${pad(i % 90)}-${pad(1 + (i % 12))}-${pad(1 + (i % 28))},${i * 31}\n`;
  });
  writeFileSync(join(dir, "d-schema-create.sql"), "CREATE DATABASE d;");
  writeFileSync(join(dir, "d.t-schema.sql"), `${CREATE};`);
  writeFileSync(join(dir, "d.t.csv"), `id,name,price,at,n\n${rows.join("")}`);
}

test("a million rows are scanned, encoded, summed and put into arenas without an object for each", {
  timeout: 60_000,
}, async () => {
  writeSource();
  const ddl = { sqlMode: parseSqlMode(DEFAULT_SQL_MODE), timeZone: "UTC", newCollation: true, nowMs: 0 };
  const catalog = new Catalog(() => 100);
  catalog.execute("CREATE DATABASE d", { ...ddl, database: "d", clusteredIndex: "on" });
  catalog.execute(CREATE, { ...ddl, database: "d", clusteredIndex: "on" });
  const info = catalog.table("d", "t")!;
  const storage = await openLocalStorage(dir);
  const [table] = (await loadSource(storage)).tables;
  const chunks = await Array.fromAsync(planChunks(storage, table!.files));
  const arena = new PairArena({ capacityBytes: 8 << 20 });
  const sums = new KvChecksum();
  const sink: PairSink = {
    put(key, keyLength, value, valueLength) {
      sums.add(key, keyLength, value, valueLength);
      arena.put(key, keyLength, value, valueLength);
    },
  };
  const session = {
    sqlMode: DEFAULT_SQL_MODE,
    timeZone: "UTC",
    newCollations: true,
    rowFormatVersion: 2 as const,
    rowLevelChecksum: false,
    nowMs: 0,
    defaultWeekFormat: 0,
  };
  const encoder = compileTable(info, { session, record: sink, index: sink });
  const fields = newFields(16);
  /** Returns the rows. The heap is looked at only in between, where the next piece of the file is read. */
  const readAll = async (growth?: HeapGrowth): Promise<number> => {
    let rows = 0;
    for (const chunk of chunks) {
      const reader = await ChunkReader.open(storage, chunk, { columnCount: info.cols.length });
      while (await reader.fill()) {
        // What reading a file takes is not a matter of rows.
        growth?.skip();
        for (let left = 1000; ; left--) {
          if (!reader.next(fields)) break;
          encoder.encodeRow(fields, ++rows);
          if (arena.full) arena.clear();
          if (left === 0) {
            growth?.look();
            left = 1000;
          }
        }
      }
      await reader.close();
    }
    return rows;
  };
  await readAll();
  const perRow: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const growth = new HeapGrowth();
    const rows = await readAll(growth);
    assert.equal(rows, ROWS);
    perRow.push(growth.bytes / rows);
  }
  // What else goes on in the process may show in some rounds; an object for each row shows in all.
  const least = Math.min(...perRow);
  assert.ok(least < BYTES_A_ROW_MAX, `the heap grew by ${least.toFixed(2)} bytes a row`);
});
