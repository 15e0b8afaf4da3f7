import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { LevinError } from "../../src/base/mod.ts";
import { openLocalStorage } from "../../src/source/mod.ts";

test("a directory is listed through symbolic links, each directory once", async () => {
  const dir = await mkdtemp(join(tmpdir(), "levin-source-"));
  try {
    await mkdir(join(dir, "real", "sub"), { recursive: true });
    await writeFile(join(dir, "real", "b.sql"), "12345");
    await writeFile(join(dir, "real", "sub", "a.sql"), "");
    await writeFile(join(dir, "outside.sql"), "xyz");
    await symlink(join(dir, "outside.sql"), join(dir, "real", "c.sql"));
    await symlink(join(dir, "real"), join(dir, "real", "sub", "loop"));
    await symlink(join(dir, "real"), join(dir, "link"));
    const storage = await openLocalStorage(join(dir, "link"));
    const files = await storage.list();
    assert.deepEqual(
      files.map(({ path, sizeBytes }) => [path, sizeBytes]),
      [
        ["b.sql", 5],
        ["c.sql", 3],
        ["sub/a.sql", 0],
      ],
    );
    const object = await storage.open("b.sql");
    const into = new Uint8Array(3);
    assert.equal(await object.read(into, 3), 2);
    assert.deepEqual([...into.subarray(0, 2)], [0x34, 0x35]);
    assert.equal(await object.read(into, 5), 0);
    await object.close();
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("one file is a source; what is missing is named", async () => {
  const dir = await mkdtemp(join(tmpdir(), "levin-source-"));
  try {
    await writeFile(join(dir, "x.csv"), "1\n");
    const storage = await openLocalStorage(join(dir, "x.csv"));
    assert.equal((await storage.list())[0]!.path, "x.csv");
    await (await storage.open("x.csv")).close();
    await assert.rejects(openLocalStorage(join(dir, "none")), (thrown: LevinError) => {
      assert.equal(thrown.code, "Levin:Source:ErrUnreadable");
      assert.match(thrown.message, /^Cannot read ".*none": /);
      return true;
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});
