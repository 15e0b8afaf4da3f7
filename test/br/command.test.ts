import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCheckpoint as run } from "./run-command.ts";
import { sampleFolders, sampleJson, unpackTree } from "./samples.ts";

interface Sample {
  cipher: { method: string; key_hex: string | null } | null;
  walk: { values?: unknown[] };
  load_metadata: { error?: string | null; metadata?: unknown };
}

const linesOf = (text: string): unknown[] =>
  text
    .split(/[\n\u2028\u2029\u0085]/)
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe("levin checkpoint", () => {
  for (const name of sampleFolders("backup")) {
    test(`export ${name}: metadata, then every range`, async () => {
      const sample = sampleJson<Sample>(`backup/${name}/expected.json`);
      const cipher =
        sample.cipher === null ? [] : ["--cipher", `${sample.cipher.method}:${sample.cipher.key_hex ?? ""}`];
      const dir = unpackTree(`backup/${name}/tree`);
      const { code, out, err } = await run(["export", "--kind", "backup", "--strict", ...cipher, dir]);
      const [first, ...rest] = linesOf(out) as [{ metadata: unknown }, ...unknown[]];
      const failed = (sample.load_metadata.error ?? null) !== null;
      assert.equal(code, failed ? 4 : 0, err);
      assert.deepEqual(first.metadata, failed ? null : sample.load_metadata.metadata);
      assert.deepEqual(rest, sample.walk.values ?? []);
    });
  }

  test("a wrong key, no key and an empty checkpoint are three things", async () => {
    const { cipher } = sampleJson<Sample>("backup/method-aes128-ctr/expected.json");
    const dir = unpackTree("backup/method-aes128-ctr/tree");
    const wrong = await run(["export", "--cipher", `AES128_CTR:${cipher!.key_hex!.replace(/^../, "00")}`, dir]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /none of its 6 groups can be read; the key is not the one/);
    const none = await run(["verify", dir]);
    assert.equal(none.code, 2);
    assert.match(none.err, /encrypted and no key was given/);
    assert.doesNotMatch(none.out, /damaged/);
    const short = await run(["verify", "--cipher", "aes256-ctr:00", dir]);
    assert.deepEqual([short.code, /a key has 32, 48 or 64 hex digits, found 2/.test(short.err)], [2, true], short.err);
    const empty = await run(["verify", unpackTree("backup/finish-without-flush/tree")]);
    assert.equal(empty.code, 0);
    assert.match(empty.out, / 0 groups, 0 items.*\ngood\n/);
  });

  test("verify counts damage, export warns of it, strict stops", async () => {
    const dir = unpackTree("broken-backup/data-file-garbage/tree");
    const { read_with: key } =
      sampleJson<Record<string, { read_with: { method: string; key_hex: string } }>>("broken-backup/behaviour.json")[
        "data-file-garbage"
      ]!;
    const cipher = ["--cipher", `${key.method}:${key.key_hex}`];
    const verify = await run(["verify", "--json", ...cipher, dir]);
    assert.equal(verify.code, 4);
    const summary = JSON.parse(verify.out) as { damaged: number; items: number; ok: boolean };
    assert.deepEqual([summary.damaged, summary.items, summary.ok], [1, 4, false]);
    const lenient = await run(["export", ...cipher, dir]);
    assert.equal(lenient.code, 0);
    assert.equal(linesOf(lenient.out).length, 5);
    assert.match(lenient.err, /warning: damaged \(broken-document\)/);
    assert.equal((await run(["export", "--strict", ...cipher, dir])).code, 4);
  });

  test("show tells ranges and holes", async () => {
    const done = await run(["show", unpackTree("backup/several-flushes-plain/tree")]);
    assert.match(done.out, /4 of 4 ranges done/);
    const dir = unpackTree("broken-backup/data-files-all-gone/tree");
    const { out } = await run(["show", "--json", dir]);
    const shown = JSON.parse(out) as {
      progress_of_ranges: { parts: number; holes: { start: string; end: string }[] }[];
    };
    for (const range of shown.progress_of_ranges) {
      assert.equal(range.parts, 0);
      assert.equal(range.holes.length, 1);
    }
  });

  test("rm and unlock mind a lock in force, and say what they do", async () => {
    const dir = unpackTree("backup/several-flushes-plain/tree");
    const during = 1_736_156_975_723 + 1000;
    const plan = await run(["rm", dir], during);
    assert.match(plan.out, /^would remove checkpoints\/backup\/checkpoint.meta\n/);
    assert.equal((await run(["rm", "--yes", dir], during)).code, 3);
    const refused = await run(["unlock", dir], during);
    assert.equal(refused.code, 3);
    assert.match(refused.err, /in force for 299 s more/);
    assert.match((await run(["unlock", "--force", dir], during)).out, /^removed: lock \d+/);
    assert.equal((await run(["unlock", dir], during)).out, "not locked\n");
    assert.equal((await run(["rm", "--yes", dir])).code, 0);
    assert.deepEqual(readdirSync(join(dir, "checkpoints/backup/data")), []);
    assert.ok(!existsSync(join(dir, "checkpoints/backup/checkpoint.meta")));
    const again = await run(["rm", "--yes", dir]);
    assert.equal(again.code, 2);
    assert.match(again.err, /there is no checkpoint/);
  });

  test("usage errors are told", async () => {
    assert.equal((await run(["export"])).code, 2);
    assert.equal((await run(["export", "--kind", "x", "/nowhere"])).code, 2);
    assert.equal((await run(["export", "--dsn", "nonsense"])).code, 2);
    assert.equal((await run(["export", "--cipher", "rot13:00", unpackTree("backup/cipher-nil/tree")])).code, 2);
  });
});
