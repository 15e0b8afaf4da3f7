import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { type LevinError, textOf, utf8 } from "../../src/base/mod.ts";
import { newFields } from "../../src/codec/mod.ts";
import { ChunkReader, loadSource, openSource, planChunks } from "../../src/source/mod.ts";
import { parseS3Address } from "../../src/storage/mod.ts";
import { S3Server } from "../storage/s3-server.ts";

test("a dump in a bucket is found, cut into chunks and scanned, plain and compressed", async () => {
  const server = await new S3Server({ pageSize: 2 }).start();
  try {
    server.put("dumps/one/d-schema-create.sql", utf8("CREATE DATABASE `d`;"));
    server.put("dumps/one/d.t-schema.sql", utf8("CREATE TABLE `t` (a int, b varchar(9));"));
    const rows = Array.from({ length: 3000 }, (_, i) => `${i},row ${i}\n`).join("");
    server.put("dumps/one/d.t.1.csv", utf8(`a,b\n${rows}`));
    server.put("dumps/one/d.t.2.csv.gz", gzipSync("a,b\n7000,packed\n7001,packed\n"));
    const storage = await openSource("", parseS3Address(server.address("dumps/one"), {}));
    assert.equal(storage.name, "s3://bucket/dumps/one");
    const source = await loadSource(storage);
    const table = source.tables[0]!;
    assert.equal(table.files.length, 2);
    let count = 0;
    let sum = 0;
    for await (const chunk of planChunks(storage, table.files, { chunkBytes: 10_000 })) {
      const reader = await ChunkReader.open(storage, chunk);
      const fields = newFields(2);
      while (await reader.fill()) {
        while (reader.next(fields)) {
          count++;
          sum += Number(textOf(fields.bytes.subarray(fields.start[0], fields.end[0])));
        }
      }
      await reader.close();
    }
    assert.deepEqual([count, sum], [3002, (2999 * 3000) / 2 + 14_001]);
    await assert.rejects(storage.open("none"), (error: LevinError) => {
      assert.equal(error.code, "Levin:Source:ErrUnreadable");
      return /^Cannot read "s3:\/\/bucket\/dumps\/one\/none": there is no such object$/.test(error.message);
    });
    const denied = await openSource("", parseS3Address(server.address("dumps").replace("wJalr", "wrong"), {}));
    await assert.rejects(denied.list(), /Cannot read "s3:\/\/bucket\/dumps": .*SignatureDoesNotMatch/);
  } finally {
    await server.stop();
  }
});
