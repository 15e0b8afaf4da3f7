import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sourceReadable } from "../../src/precheck/source-readable.ts";
import { loadSource, openLocalStorage } from "../../src/source/mod.ts";

test("files that were there when the source was listed and are gone: an error, unless nothing is read from them", async () => {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-readable-"));
  try {
    const write = (name: string, text: string): void => fs.writeFileSync(join(dir, name), text);
    write("d.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    write("d.t.1.csv", "id\n1\n");
    // A run that was killed while it wrote leaves it, and the next one renames it.
    write("tidb_lightning_checkpoint.pb.tmp", "x");
    const storage = await openLocalStorage(dir);
    const source = await loadSource(storage);
    const look = () => sourceReadable({ storage, source, signal: new AbortController().signal } as never);
    fs.rmSync(join(dir, "tidb_lightning_checkpoint.pb.tmp"));
    assert.deepEqual(await look(), []);
    fs.rmSync(join(dir, "d.t.1.csv"));
    assert.deepEqual(
      (await look()).map(({ status, detail }) => `${status} ${detail.replace(dir, "")}`),
      ['failed Cannot read "/d.t.1.csv": there is no such file or directory'],
    );
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
});
