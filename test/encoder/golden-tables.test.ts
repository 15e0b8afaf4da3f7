import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import type { TableEncoder } from "../../src/encoder/mod.ts";
import { Collector, encoderFor, encodeText, type GoldenTable, goldenTables, wanted } from "./golden-tables.ts";

const tables = goldenTables();

for (const plainOnly of [true, false]) {
  test(`all golden tables, from SQL and CSV text, ${plainOnly ? "plain" : "fast"} path`, () => checkAll(plainOnly));
}

function checkAll(plainOnly: boolean): void {
  let texts = 0;
  let refused = 0;
  let failed = 0;
  for (const table of tables) {
    for (const form of ["sql", "csv"] as const) {
      const want = wanted(table, form);
      if (want === undefined) continue;
      texts++;
      const name = `${table.case} ${form}`;
      const sink = new Collector();
      const encoder = encoderOrRefusal(table, sink, plainOnly);
      if (encoder === undefined) {
        refused++;
        continue;
      }
      if ("error" in want) {
        assert.throws(() => encodeText(table, form, encoder), LevinError, name);
        failed++;
        continue;
      }
      encodeText(table, form, encoder);
      assert.deepEqual(sink.sorted(), want.pairs, name);
      const { crc64xor, kvs, bytes } = sink.sum.result();
      assert.equal(String(crc64xor), want.checksum.crc64xor, name);
      assert.deepEqual([Number(kvs), Number(bytes)], [want.checksum.kvs, want.checksum.bytes], name);
    }
  }
  assert.deepEqual([tables.length, texts, refused, failed], [228, 452, 2, 2]);
}

/** Undefined for tables with functions that levin does not know yet. */
function encoderOrRefusal(table: GoldenTable, sink: Collector, plainOnly: boolean): TableEncoder | undefined {
  try {
    return encoderFor(table, sink, { plainOnly });
  } catch (thrown) {
    if (!isUnsupported(thrown)) throw thrown;
    return undefined;
  }
}

function isUnsupported(e: unknown): boolean {
  return e instanceof LevinError && e.code === "Levin:Schema:ErrUnsupported";
}
