import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { type LevinError, seededRandom } from "../../src/base/mod.ts";
import { newFields } from "../../src/codec/mod.ts";
import { type Chunk, ChunkReader, loadSource, type PlanOptions, planChunks } from "../../src/source/mod.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { type Cell, cellsOf } from "./scan.ts";

async function plan(storage: MemoryStorage, chunkBytes: number, more: PlanOptions = {}): Promise<Chunk[]> {
  const source = await loadSource(storage);
  return await Array.fromAsync(planChunks(storage, source.tables[0]!.files, { chunkBytes, ...more }));
}

async function readChunks(storage: MemoryStorage, chunks: readonly Chunk[], windowBytes: number): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  const fields = newFields(4);
  for (const chunk of chunks) {
    const reader = await ChunkReader.open(storage, structuredClone(chunk), { windowBytes });
    const before = rows.length;
    while (await reader.fill()) while (reader.next(fields)) rows.push(cellsOf(fields));
    assert.ok(rows.length - before <= chunk.rowCountMax, "the bound of rows holds");
    if (chunk.compression === "none") assert.equal(reader.position, chunk.end);
    await reader.close();
  }
  assert.equal(storage.openCount, 0, "files are closed");
  return rows;
}

/** Values with line ends, quotes and things that look like rows inside. */
function values(count: number): string[] {
  const random = seededRandom(7);
  const bits = ["a", "\n", '"', "'", "\\", ",", "1,2\n3,4\n", "),\n(5,'x'", "INSERT INTO t VALUES (9,'n');\n", "ü"];
  return Array.from({ length: count }, () =>
    Array.from({ length: Math.floor(random.next() * 6) }, () => bits[Math.floor(random.next() * bits.length)]).join(""),
  );
}

const texts = values(400);
const csv = `id,v\n${texts.map((v, k) => `${k},"${v.replaceAll("\\", "\\\\").replaceAll('"', '""')}"\n`).join("")}`;
const escaped = (v: string): string => v.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n");
const sql = `/*!40101 SET NAMES utf8mb4*/;\n${texts
  .map((v, k) => `${k % 5 === 0 ? "INSERT INTO `t` VALUES\n" : ""}(${k},'${escaped(v)}')${k % 5 === 4 ? ";\n" : ",\n"}`)
  .join("")}`;
const wanted = texts.map((v, k) => [String(k), v]);
const utf8Texts = (rows: Cell[][]): string[][] =>
  rows.map((row) => row.map(([, text]) => Buffer.from(text, "latin1").toString("utf8")));

test("chunks of any size and windows of any size give the same rows, each once", async () => {
  for (const [name, text] of [
    ["d.t.csv", csv],
    ["d.t.sql", sql],
  ] as const) {
    const storage = new MemoryStorage({ [name]: text });
    for (const chunkBytes of [1, 64, 100, 1000, 5000, 1 << 20]) {
      const chunks = await plan(storage, chunkBytes);
      if (chunkBytes <= 1000) assert.ok(chunks.length > 5, `${name} is cut`);
      if (chunkBytes === 1 << 20) assert.equal(chunks.length, 1);
      for (const windowBytes of [1, 64, 1 << 20]) {
        storage.readMax = windowBytes === 64 ? 7 : Number.POSITIVE_INFINITY;
        const rows = await readChunks(storage, chunks, windowBytes);
        assert.deepEqual(utf8Texts(rows), wanted, `${name}, chunks of ${chunkBytes}, windows of ${windowBytes}`);
      }
    }
  }
});

test("row ids of chunks ascend and leave room; compressed files stay whole", async () => {
  const storage = new MemoryStorage({ "d.t.1.csv": csv, "d.t.2.csv.gz": gzipSync(csv), "d.t.3.sql": sql });
  const chunks = await plan(storage, 1000);
  let next = 0;
  for (const chunk of chunks) {
    assert.equal(chunk.rowIdBase, next);
    next += chunk.rowCountMax;
  }
  assert.equal(chunks.filter((chunk) => chunk.path === "d.t.2.csv.gz").length, 1);
  assert.deepEqual(utf8Texts(await readChunks(storage, chunks, 300)), [...wanted, ...wanted, ...wanted]);
});

test("a file that changed since the plan is refused", async () => {
  const storage = new MemoryStorage({ "d.t.csv": csv });
  const chunks = await plan(storage, 1000);
  storage.set("d.t.csv", `${csv}x`);
  await assert.rejects(
    ChunkReader.open(storage, chunks[0]!),
    (thrown: LevinError) => thrown.code === "Levin:Source:ErrChanged",
  );
});

test("a chunk that does not end at a row's end is refused", async () => {
  const storage = new MemoryStorage({
    "d.t.csv": 'id,v\n1,"a\nb"\n2,c\n',
    "d.t.sql": "INSERT INTO t VALUES (1,'a');\n",
  });
  const [csvChunk, sqlChunk] = await plan(storage, 1 << 20);
  for (const chunk of [
    { ...csvChunk!, end: 10 },
    { ...sqlChunk!, end: 24 },
  ]) {
    await assert.rejects(
      readChunks(storage, [chunk], 64),
      (thrown: LevinError) => thrown.code === "Levin:Source:ErrSyntax",
    );
    storage.openCount = 0;
  }
});
