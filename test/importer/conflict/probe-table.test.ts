/** What rows are looked at by before they are encoded: the same unique keys as the table's own encoder makes, or none where that makes none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, seededRandom, toHex } from "../../../src/base/mod.ts";
import { type Fields, newFields, type PairSink, splitKey } from "../../../src/codec/mod.ts";
import { compileTable, type EncodeOptions, type TableEncoder } from "../../../src/encoder/mod.ts";
import { probeTable } from "../../../src/importer/conflict/probe-table.ts";
import type { WorkerTable } from "../../../src/importer/encode/messages.ts";
import { Catalog, parseSqlMode, type TableInfo } from "../../../src/schema/mod.ts";
import { encoderFor, encodeText, goldenTables, wanted } from "../../encoder/golden-tables.ts";
import { below, copyExpressions, pick, randomField, randomTable } from "../../encoder/random-table.ts";
import { fill } from "../../encoder/source-text.ts";

/** Keys of records and of entries in unique indexes. */
class UniqueKeys implements PairSink {
  keys: string[] = [];
  readonly #unique: ReadonlySet<number>;

  constructor({ index_info }: TableInfo) {
    const unique = (index_info ?? []).filter((index) => index.is_unique || index.is_primary);
    this.#unique = new Set(unique.map(({ id }) => id));
  }

  put(key: Uint8Array, keyLength: number): void {
    const parts = splitKey(key.slice(0, keyLength));
    if (parts.kind !== "index" || this.#unique.has(Number(parts.indexId)))
      this.keys.push(toHex(key.subarray(0, keyLength)));
  }

  take(): string[] {
    return this.keys.splice(0).sort();
  }
}

const tableOf = (info: TableInfo): WorkerTable => ({ name: "d.t", info, codings: new Map(), ignored: new Set() });

test("all golden tables: the same unique keys, of fewer columns", () => {
  let compared = 0;
  let spared = 0;
  for (const golden of goldenTables()) {
    const probe = probeTable(tableOf(golden.tableInfo));
    if (probe === undefined) continue;
    for (const form of ["sql", "csv"] as const) {
      const want = wanted(golden, form);
      if (want === undefined || "error" in want) continue;
      const sink = new UniqueKeys(golden.tableInfo);
      let full: TableEncoder;
      try {
        full = encoderFor(golden, sink, {});
      } catch (thrown) {
        if (thrown instanceof LevinError && thrown.code === "Levin:Schema:ErrUnsupported") continue;
        throw thrown;
      }
      encodeText(golden, form, full);
      const wantedKeys = sink.take();
      const own = encoderFor({ ...golden, tableInfo: probe.info }, sink, {});
      own.bindColumns(golden.columns, probe.ignored);
      encodeText(golden, form, own);
      assert.deepEqual(sink.take(), wantedKeys, `${golden.case} ${form}`);
      compared++;
      spared += probe.ignored.size;
    }
  }
  assert.ok(compared > 200 && spared > 500, `${compared} texts compared, ${spared} columns spared`);
});

test("a column with a back quote in its name is found in the expressions that need it", () => {
  const catalog = new Catalog(() => 100);
  const session = { sqlMode: parseSqlMode(""), timeZone: "UTC", newCollation: true, nowMs: 0, database: "d" };
  const ddl = { ...session, clusteredIndex: "on" } as const;
  catalog.execute("CREATE DATABASE d", ddl);
  catalog.execute("CREATE TABLE t (`a``b` INT, c INT, g INT AS (`a``b` + 1) STORED, UNIQUE KEY u (g))", ddl);
  assert.deepEqual([...probeTable(tableOf(catalog.table("d", "t")!))!.ignored], ["c"]);
});

function keysOf(sink: UniqueKeys, encoder: TableEncoder, fields: Fields, rowId: number): string[] | undefined {
  try {
    encoder.encodeRow(fields, rowId);
    return sink.take();
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    sink.take();
    return undefined;
  }
}

test("random tables and rows: the same unique keys of every row that can be encoded", () => {
  const random = seededRandom(20);
  let rows = 0;
  for (let i = 0; i < 400; i++) {
    const info = randomTable(random);
    const probe = probeTable(tableOf(info));
    if (probe === undefined) continue;
    const sink = new UniqueKeys(info);
    const options: EncodeOptions = {
      session: {
        sqlMode: pick(random, ["", "STRICT_TRANS_TABLES"]),
        timeZone: "+08:00",
        newCollations: random.next() < 0.8,
        rowFormatVersion: 2,
        rowLevelChecksum: false,
        nowMs: 1.7e12,
        defaultWeekFormat: 0,
      },
      record: sink,
      index: sink,
      expressions: copyExpressions,
    };
    const full = compileTable(info, options);
    const own = compileTable(probe.info, options);
    const names = info.cols.map((column) => column.name.O).filter(() => random.next() < 0.9);
    const columns = random.next() < 0.5 ? undefined : names;
    full.bindColumns(columns);
    own.bindColumns(columns, probe.ignored);
    const seed = below(random, 1000);
    for (const encoder of [full, own]) encoder.startChunk(seed);
    const fields = newFields(1);
    for (let row = 1; row <= 12; row++) {
      const given = columns ?? info.cols.map((column) => column.name.O);
      fill(
        fields,
        given.map((name) => randomField(random, info.cols.find((column) => column.name.O === name)!)),
      );
      const wantedKeys = keysOf(sink, full, fields, row);
      if (wantedKeys === undefined) continue;
      rows++;
      assert.deepEqual(keysOf(sink, own, fields, row), wantedKeys, JSON.stringify(info));
    }
  }
  assert.ok(rows > 500, `${rows} rows`);
});
