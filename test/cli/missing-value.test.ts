import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock, systemRandom } from "../../src/base/mod.ts";
import { runCli } from "../../src/cli/mod.ts";

async function run(...words: string[]): Promise<{ code: number; err: string }> {
  let err = "";
  const code = await runCli(words, "levin", {
    stdout: { write: () => true },
    stderr: { write: (text) => (err += text) },
    terminal: undefined,
    environment: {},
    clock: systemClock,
    random: systemRandom,
    signal: new AbortController().signal,
    version: "0.0.0-test",
    pid: process.pid,
    encodeWorker: new URL("../../src/importer/encode/encode-worker.ts", import.meta.url),
  });
  return { code, err };
}

test("an option at the end without its value is refused, not taken for absent", async () => {
  for (const [words, option] of [
    [["import", "/nowhere", "--sandbox"], "--sandbox"],
    [["import", "/nowhere", "--backend"], "--backend"],
    [["import", "/nowhere", "-c"], "-c"],
    [["load", "run", "--source"], "--source"],
  ] as const) {
    const { code, err } = await run(...words);
    assert.equal(code, 2, err);
    assert.ok(err.includes(`Cannot use ${option}: its value is missing`), err);
  }
  const flag = await run("import", "/nowhere", "--fresh");
  assert.deepEqual([flag.code, /nowhere/.test(flag.err)], [3, true], flag.err);
  assert.equal((await run("version")).code, 0);
  assert.equal((await run("import", "--help")).code, 0);
});
