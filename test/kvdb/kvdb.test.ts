import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { compareBytes, LevinError, seededRandom, toHex } from "../../src/base/mod.ts";
import { type KvChange, type KvCursor, type KvDb, memoryKvDb, openLevelKvDb } from "../../src/kvdb/mod.ts";

const root = await mkdtemp(join(tmpdir(), "levin-kvdb-"));
let dirs = 0;
const freshDir = () => join(root, `d${dirs++}`);

after(() => rmSync(root, { recursive: true, force: true }));

const bytes = (...values: number[]) => new Uint8Array(values);

async function drain(cursor: KvCursor, count = 100): Promise<[string, string][]> {
  const out: [string, string][] = [];
  for (;;) {
    const entries = await cursor.next(count);
    if (entries.length === 0) break;
    assert.ok(entries.length <= count, "no more entries than asked for");
    for (const [key, value] of entries) out.push([toHex(key), toHex(value)]);
  }
  await cursor.close();
  return out;
}

const backends: [string, () => Promise<KvDb>][] = [
  ["memory", async () => memoryKvDb()],
  ["level", () => openLevelKvDb(freshDir())],
  ["level, shared", () => openLevelKvDb(freshDir(), { shared: true })],
];

for (const [name, open] of backends) {
  describe(`kvdb contract: ${name}`, () => {
    test("get returns what a batch put, undefined what it deleted", async () => {
      const db = await open();
      const value = bytes(1, 2, 3);
      const batch = db.batch([
        { key: bytes(5), value },
        { key: bytes(6), value: bytes() },
      ]);
      value.fill(9);
      await batch;
      await db.sync();
      assert.deepEqual(await db.get(bytes(5)), bytes(1, 2, 3), "the map keeps its own bytes");
      assert.deepEqual(await db.get(bytes(6)), bytes(), "an empty value is a value");
      assert.equal(await db.get(bytes(7)), undefined);
      await db.batch(
        [
          { key: bytes(5), value: undefined },
          { key: bytes(8), value: undefined },
        ],
        { sync: true },
      );
      assert.equal(await db.get(bytes(5)), undefined);
      await db.close();
    });

    test("the later of two changes of one key wins, in small and in large batches", async () => {
      const db = await open();
      for (const more of [0, 40]) {
        const filler = Array.from({ length: more }, (_, i): KvChange => ({ key: bytes(9, i), value: bytes(i) }));
        await db.batch([
          { key: bytes(1), value: bytes(1) },
          ...filler,
          { key: bytes(1), value: bytes(2) },
          { key: bytes(2), value: bytes(3) },
          { key: bytes(2), value: undefined },
        ]);
        assert.deepEqual(await db.get(bytes(1)), bytes(2));
        assert.equal(await db.get(bytes(2)), undefined);
      }
      await db.close();
    });

    test("the empty key is the first key, and bytes compare unsigned", async () => {
      const db = await open();
      const keys = [bytes(255), bytes(), bytes(0), bytes(127), bytes(128), bytes(0, 0), bytes(255, 0)];
      await db.batch(keys.map((key) => ({ key, value: key })));
      const want = ["", "00", "0000", "7f", "80", "ff", "ff00"];
      assert.deepEqual(
        (await drain(db.cursor({}))).map(([key]) => key),
        want,
      );
      assert.deepEqual(
        (await drain(db.cursor({}, { reverse: true }), 2)).map(([key]) => key),
        want.toReversed(),
      );
      await db.close();
    });

    test("a cursor honours both ends, the empty range and keysOnly", async () => {
      const db = await open();
      await db.batch([1, 2, 3, 4].map((n) => ({ key: bytes(n), value: bytes(n, n) })));
      const keys = async (start: number | undefined, end: number | undefined, reverse = false) =>
        (
          await drain(
            db.cursor(
              {
                ...(start === undefined ? {} : { start: bytes(start) }),
                ...(end === undefined ? {} : { end: bytes(end) }),
              },
              { reverse },
            ),
            1,
          )
        ).map(([key]) => key);
      assert.deepEqual(await keys(2, 4), ["02", "03"]);
      assert.deepEqual(await keys(2, 4, true), ["03", "02"]);
      assert.deepEqual(await keys(undefined, 2), ["01"]);
      assert.deepEqual(await keys(4, undefined), ["04"]);
      assert.deepEqual(await keys(3, 3), []);
      assert.deepEqual(await keys(4, 2), []);
      assert.deepEqual(await drain(db.cursor({ end: bytes() })), [], "nothing is below the empty key");
      assert.deepEqual(await drain(db.cursor({ start: bytes(4) }, { keysOnly: true })), [["04", ""]]);
      await db.close();
    });

    test("a cursor sees the map as it was, and close is idempotent", async () => {
      const db = await open();
      await db.batch([
        { key: bytes(1), value: bytes(1) },
        { key: bytes(2), value: bytes(2) },
      ]);
      const cursor = db.cursor({});
      await db.batch([
        { key: bytes(0), value: bytes(0) },
        { key: bytes(1), value: undefined },
        { key: bytes(2), value: bytes(22) },
      ]);
      assert.deepEqual(await drain(cursor), [
        ["01", "01"],
        ["02", "02"],
      ]);
      await cursor.close();
      assert.deepEqual(await drain(db.cursor({})), [
        ["00", "00"],
        ["02", "16"],
      ]);
      await db.close();
    });

    test("batchBytes bounds one next, but lets an entry through", async () => {
      const db = await open();
      await db.batch([1, 2, 3, 4].map((n) => ({ key: bytes(n), value: new Uint8Array(1000).fill(n) })));
      const cursor = db.cursor({}, { batchBytes: 1500 });
      assert.equal((await cursor.next(10)).length, 2);
      assert.equal((await cursor.next(1)).length, 1);
      await cursor.close();
      const small = db.cursor({}, { batchBytes: 1 });
      assert.equal((await small.next(10)).length, 1);
      await small.close();
      await db.close();
    });

    test("clear removes its range only", async () => {
      const db = await open();
      await db.batch([1, 2, 3, 4].map((n) => ({ key: bytes(n), value: bytes(n) })));
      await db.clear({ start: bytes(2), end: bytes(4) });
      assert.deepEqual(
        (await drain(db.cursor({}))).map(([key]) => key),
        ["01", "04"],
      );
      await db.clear({});
      assert.deepEqual(await drain(db.cursor({})), []);
      await db.close();
    });

    test("random batches leave the same entries as a plain model", async () => {
      const db = await open();
      const random = seededRandom(7);
      const model = new Map<string, string>();
      const int = (n: number) => Math.floor(random.next() * n);
      for (let round = 0; round < 60; round++) {
        const changes: KvChange[] = [];
        for (let i = int(60); i > 0; i--) {
          const key = Uint8Array.from({ length: int(4) }, () => int(4));
          const value = int(4) === 0 ? undefined : bytes(round, i);
          changes.push({ key, value });
          if (value === undefined) model.delete(toHex(key));
          else model.set(toHex(key), toHex(value));
        }
        await db.batch(changes);
        const want = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(await drain(db.cursor({}), 1 + int(9)), want);
      }
      await db.close();
    });
  });
}

describe("level backend", () => {
  test("entries survive closing", async () => {
    const dir = freshDir();
    const db = await openLevelKvDb(dir);
    await db.batch([{ key: bytes(1), value: new Uint8Array(300_000).fill(7) }], { sync: true });
    await db.close();
    await db.close();
    const again = await openLevelKvDb(dir);
    assert.deepEqual(await again.get(bytes(1)), new Uint8Array(300_000).fill(7));
    await again.close();
  });

  test("shared handles see each other's writes; the last close frees the directory", async () => {
    const dir = freshDir();
    const a = await openLevelKvDb(dir, { shared: true });
    const b = await openLevelKvDb(`${dir}/.`, { shared: true });
    await a.batch([{ key: bytes(1), value: bytes(1) }]);
    assert.deepEqual(await b.get(bytes(1)), bytes(1));
    await a.close();
    await b.batch([{ key: bytes(2), value: bytes(2) }]);
    await b.close();
    const c = await openLevelKvDb(dir);
    assert.deepEqual(await c.get(bytes(2)), bytes(2));
    await c.close();
  });

  test("a directory in use is Levin:State:ErrLocked", async () => {
    const dir = freshDir();
    const db = await openLevelKvDb(dir);
    await assert.rejects(openLevelKvDb(dir), (error: unknown) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:State:ErrLocked");
      assert.ok(error.message.includes(dir));
      return true;
    });
    await db.close();
  });

  test("a path that cannot be a directory is ErrDisk and is named", async () => {
    const file = join(root, "file");
    writeFileSync(file, "x");
    await assert.rejects(openLevelKvDb(join(file, "below")), (error: unknown) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:Engine:ErrDisk");
      assert.ok(error.message.includes(join(file, "below")));
      return true;
    });
    await assert.rejects(openLevelKvDb(freshDir(), { createIfMissing: false }), { code: "Levin:Engine:ErrDisk" });
  });

  test("a damaged manifest is ErrCorrupt and names the directory", async () => {
    const dir = freshDir();
    const db = await openLevelKvDb(dir);
    await db.batch([{ key: bytes(1), value: bytes(1) }], { sync: true });
    await db.close();
    const manifest = readdirSync(dir).find((name) => name.startsWith("MANIFEST"))!;
    const text = readFileSync(join(dir, manifest));
    writeFileSync(
      join(dir, manifest),
      text.map((b) => b ^ 0x55),
    );
    await assert.rejects(openLevelKvDb(dir), (error: unknown) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:Engine:ErrCorrupt");
      assert.ok(error.message.includes(dir));
      return true;
    });
  });

  test("keys stay in byte order on disk whatever the order of writing", async () => {
    const db = await openLevelKvDb(freshDir(), { writeBufferBytes: 64 * 1024, fileBytes: 1024 * 1024 });
    const random = seededRandom(3);
    for (let i = 0; i < 40; i++) {
      const key = new Uint8Array(8);
      random.fill(key);
      await db.batch([{ key, value: new Uint8Array(20_000).fill(i) }]);
    }
    const cursor = db.cursor({});
    let last: Uint8Array | undefined;
    let count = 0;
    for (let entries = await cursor.next(7); entries.length > 0; entries = await cursor.next(7)) {
      for (const [key] of entries) {
        assert.ok(last === undefined || compareBytes(last, key) < 0);
        last = key;
        count++;
      }
    }
    assert.equal(count, 40);
    await cursor.close();
    await db.close();
  });
});
