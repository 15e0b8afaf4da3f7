import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { spoolInput } from "../../src/cli/source-path.ts";

test("standard input that cannot be kept fails with the disk's error, also between two pieces of it", async () => {
  const state = fs.mkdtempSync(join(os.tmpdir(), "levin-spool-"));
  fs.mkdirSync(join(state, "stdin.1.part"));
  async function* slowly() {
    yield new Uint8Array([1]);
    // The file's error comes while nothing waits for the file.
    for (let i = 0; i < 50; i++) await new Promise((done) => setTimeout(done, 1));
    yield new Uint8Array([2]);
  }
  await assert.rejects(spoolInput(slowly(), state, { table: true, begun: false, pid: 1 }), {
    code: "Levin:State:ErrDisk",
  });
  fs.rmSync(state, { recursive: true });
});
