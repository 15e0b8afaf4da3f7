import assert from "node:assert/strict";
import { test } from "node:test";
import { Collector, encoderFor, encodeText, goldenTables, wanted } from "./golden-tables.ts";

const tables = goldenTables();

test("all golden tables, from SQL and CSV text", () => {
  let texts = 0;
  let pairs = 0;
  const bad: string[] = [];
  for (const table of tables) {
    for (const form of ["sql", "csv"] as const) {
      const want = wanted(table, form);
      if (want === undefined) continue;
      texts++;
      const sink = new Collector();
      try {
        const encoder = encoderFor(table, sink, {});
        if ("error" in want) {
          assert.throws(() => encodeText(table, form, encoder));
          continue;
        }
        encodeText(table, form, encoder);
        assert.deepEqual(sink.sorted(), want.pairs);
        const { crc64xor, kvs, bytes } = sink.sum.result();
        assert.equal(String(crc64xor), want.checksum.crc64xor);
        assert.deepEqual([Number(kvs), Number(bytes)], [want.checksum.kvs, want.checksum.bytes]);
        pairs += want.pairs.length;
      } catch (e) {
        bad.push(`${table.case} ${form}: ${String(e).slice(0, 300)}`);
      }
    }
  }
  console.log(bad.join("\n"));
  console.log(texts, pairs, bad.length);
});
