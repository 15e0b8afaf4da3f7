import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type LevinError, seededRandom } from "../../src/base/mod.ts";
import { newFields } from "../../src/codec/mod.ts";
import {
  type Chunk,
  ChunkReader,
  type CsvDialect,
  defaultCsvDialect,
  loadSource,
  PlainStreams,
  type PlanOptions,
  planChunks,
  type Storage,
} from "../../src/source/mod.ts";
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

test("row ids of chunks ascend and leave room; compressed files are cut too, and chunks carry their bytes", async () => {
  const storage = new MemoryStorage({ "d.t.1.csv": csv, "d.t.2.csv.gz": gzipSync(csv), "d.t.3.sql": sql });
  const chunks = await plan(storage, 1000);
  let next = 0;
  for (const chunk of chunks) {
    assert.equal(chunk.rowIdBase, next);
    next += chunk.rowCountMax;
  }
  const compressed = chunks.filter((chunk) => chunk.path === "d.t.2.csv.gz");
  assert.ok(compressed.length > 5 && compressed.every(({ plain }) => plain !== undefined));
  assert.equal(
    compressed.reduce((sum, chunk) => sum + chunk.sourceBytes, 0),
    gzipSync(csv).length,
  );
  storage.set("d.t.2.csv.gz", "only the chunks' own bytes are read");
  assert.deepEqual(utf8Texts(await readChunks(storage, chunks, 300)), [...wanted, ...wanted, ...wanted]);
});

test("compressed files of any kind are cut where plain ones are; many of one size stay whole", async () => {
  const pack: Record<string, (text: string) => Uint8Array> = { gz: gzipSync, zst: zstdCompressSync };
  for (const [name, text] of Object.entries({ csv, sql })) {
    for (const [suffix, compress] of Object.entries(pack)) {
      const file = `d.t.${name}.${suffix}`;
      const storage = new MemoryStorage({ [file]: compress(text), [`d.t.${name}`]: text });
      const chunks = await plan(storage, 700);
      const placesOf = (path: string) =>
        chunks.filter((c) => c.path === path).map(({ start, end, rowCountMax }) => [start, end, rowCountMax]);
      assert.deepEqual(placesOf(file), placesOf(`d.t.${name}`));
      assert.deepEqual(utf8Texts(await readChunks(storage, chunks, 300)), [...wanted, ...wanted]);
    }
  }
  const many = Array.from({ length: 20 }, (_, k) => [`d.t.${k}.csv.gz`, gzipSync(csv)] as const);
  const whole = await plan(new MemoryStorage(Object.fromEntries(many)), 700);
  assert.equal(whole.length, 20);
  assert.ok(whole.every(({ plain, end }) => plain === undefined && end === Number.POSITIVE_INFINITY));
});

test("a compressed dump of several tables is decompressed once", async () => {
  const table = (name: string) => `CREATE TABLE ${name} (id INT, v TEXT);\n${sql.replaceAll("`t`", name)}`;
  const dump = gzipSync(`USE d;\n${table("a")}${table("b")}${table("c")}`);
  const storage = new MemoryStorage({ "dump.sql.gz": dump });
  const source = await loadSource(storage, { chunkBytes: 500 });
  let opened = 0;
  const counted: Storage = {
    ...storage,
    list: () => storage.list(),
    open: (path) => storage.open(path).finally(() => opened++),
  };
  const streams = new PlainStreams(counted);
  const fields = newFields(4);
  for (const { table: name, files } of source.tables) {
    const rows: Cell[][] = [];
    for await (const chunk of planChunks(counted, files, { streams })) {
      const reader = await ChunkReader.open(counted, chunk);
      while (await reader.fill()) while (reader.next(fields)) rows.push(cellsOf(fields));
      await reader.close();
    }
    assert.deepEqual(utf8Texts(rows), wanted, name);
  }
  await streams.close();
  assert.equal(opened, 1);
  assert.equal(storage.openCount, 0);
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

test("strict-format cuts by line ends alone, and a broken promise is found", async () => {
  const strict = { strictFormat: true } as const;
  const sound = new MemoryStorage({ "d.t.csv": `id,v\n${texts.map((_, k) => `${k},"x${k}"\r\n`).join("")}` });
  for (const chunkBytes of [64, 333]) {
    const chunks = await plan(sound, chunkBytes, strict);
    assert.ok(chunks.length > 5);
    assert.equal((await readChunks(sound, chunks, 100)).length, texts.length);
  }
  const broken = new MemoryStorage({ "d.t.csv": csv });
  await assert.rejects(readChunks(broken, await plan(broken, 64, strict), 100), (thrown: LevinError) => {
    return thrown.code === "Levin:Source:ErrSyntax";
  });
  const dialect = { ...defaultCsvDialect, delimiter: "", separator: "\t", header: false };
  const escapedEnds = new MemoryStorage({ "d.t.csv": "1\ta\\\nb\n".repeat(100) });
  const source = await loadSource(escapedEnds, { dialect });
  const chunks = await Array.fromAsync(planChunks(escapedEnds, source.tables[0]!.files, { chunkBytes: 21, ...strict }));
  await assert.rejects(
    readChunks(escapedEnds, chunks, 100),
    /a row goes beyond the end of its chunk \(row \d+, column 2, byte \d+\)/,
  );
  escapedEnds.openCount = 0;
  const proved = await Array.fromAsync(planChunks(escapedEnds, source.tables[0]!.files, { chunkBytes: 21 }));
  assert.equal((await readChunks(escapedEnds, proved, 100)).length, 100);
  assert.deepEqual(
    proved.map(({ rowIdBase }) => rowIdBase),
    proved.map(({ rowsBefore }) => rowsBefore),
    "row ids follow each other",
  );
});

test("rows that several dialects write are cut and read alike", async () => {
  const rows = texts.map((v, k) => [String(k), v]);
  const dialects: Partial<CsvDialect>[] = [
    { separator: "|+|", delimiter: "'", terminator: "<EOL>\n" },
    { separator: "\t", delimiter: "", terminator: "\n" },
    { separator: ";", escapedBy: "" },
    { separator: ",", delimiter: "$$", escapedBy: "!" },
  ];
  for (const change of dialects) {
    const dialect = { ...defaultCsvDialect, header: false, ...change };
    const storage = new MemoryStorage({ "d.t.csv": rows.map((row) => writeRow(row, dialect)).join("") });
    const source = await loadSource(storage, { dialect });
    for (const chunkBytes of [64, 1000]) {
      const chunks = await Array.fromAsync(planChunks(storage, source.tables[0]!.files, { chunkBytes }));
      assert.deepEqual(utf8Texts(await readChunks(storage, chunks, 64)), rows, JSON.stringify(change));
    }
  }
});

function writeRow(row: readonly string[], dialect: CsvDialect): string {
  const { delimiter, escapedBy, separator, terminator } = dialect;
  const end = terminator === "" ? "\n" : terminator;
  const fields = row.map((value) => {
    if (delimiter === "") return value.replace(/[\\\t\n]/g, (char) => `\\${char}`);
    const escaped = escapedBy === "" ? value : value.replaceAll(escapedBy, escapedBy + escapedBy);
    return delimiter + escaped.split(delimiter).join(delimiter + delimiter) + delimiter;
  });
  return fields.join(separator) + end;
}
