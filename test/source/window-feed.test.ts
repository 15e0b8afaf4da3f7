import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, type LevinError, utf8 } from "../../src/base/mod.ts";
import { newFields } from "../../src/codec/mod.ts";
import {
  type Charset,
  ChunkReader,
  defaultCsvDialect,
  invalidUtf8At,
  loadSource,
  planChunks,
} from "../../src/source/mod.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { cellsOf } from "./scan.ts";

/** Rows as texts of one file, in chunks and windows of the given sizes, and the place in the file of each. */
async function read(
  name: string,
  bytes: Uint8Array,
  options: {
    charset?: Charset;
    windowBytes?: number;
    chunkBytes?: number;
    replacement?: string;
    header?: boolean;
  } = {},
): Promise<{ rows: string[][]; places: number[]; chunks: number }> {
  const storage = new MemoryStorage({ [name]: bytes });
  const dialect = { ...defaultCsvDialect, header: options.header ?? false };
  const source = await loadSource(storage, { dataCharset: options.charset, dialect });
  const rows: string[][] = [];
  const places: number[] = [];
  const fields = newFields(4);
  const shared = { invalidReplacement: options.replacement };
  let chunks = 0;
  for await (const chunk of planChunks(storage, source.tables[0]!.files, {
    chunkBytes: options.chunkBytes,
    ...shared,
  })) {
    chunks++;
    const reader = await ChunkReader.open(storage, chunk, { windowBytes: options.windowBytes, ...shared });
    try {
      while (await reader.fill()) {
        while (reader.next(fields)) {
          rows.push(cellsOf(fields).map(([, text]) => Buffer.from(text, "latin1").toString("utf8")));
          places.push(reader.rowPosition);
        }
      }
      assert.equal(reader.position, chunk.end);
    } finally {
      await reader.close();
    }
  }
  return { rows, places, chunks };
}

function utf16(text: string, bigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let k = 0; k < text.length; k++) {
    bytes[2 * k + (bigEndian ? 1 : 0)] = text.charCodeAt(k) & 255;
    bytes[2 * k + (bigEndian ? 0 : 1)] = text.charCodeAt(k) >> 8;
  }
  return bytes;
}

/** 乗 and 誠 end with a backslash in GBK, 丂 is 0x8140. */
const GBK: Record<string, number[]> = { 乗: [0x81, 0x5c], 誠: [0xd5, 0x5c], 文: [0xce, 0xc4], 丂: [0x81, 0x40] };
const gbk = (text: string): Uint8Array =>
  Uint8Array.from([...text].flatMap((char) => GBK[char] ?? [char.charCodeAt(0)]));

test("a byte order mark is taken away and decides the character set", async () => {
  const text = '1,"a\nü😀"\r\n2,b\r\n3,é\r\n';
  const wanted = [
    ["1", "a\nü😀"],
    ["2", "b"],
    ["3", "é"],
  ];
  const forms: Uint8Array[] = [
    concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), utf8(text)),
    utf16(`\ufeff${text}`, false),
    utf16(`\ufeff${text}`, true),
  ];
  for (const bytes of forms) {
    for (const windowBytes of [1, 2, 3, 5, 1000]) {
      for (const chunkBytes of [4, 1000]) {
        const { rows, chunks } = await read("d.t.csv", bytes, { windowBytes, chunkBytes, charset: "gbk" });
        assert.deepEqual(rows, wanted);
        assert.equal(chunks, chunkBytes === 4 ? 2 : 1);
      }
    }
  }
  const sql = concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), utf8("INSERT INTO t VALUES (1,'ü');"));
  assert.deepEqual((await read("d.t.sql", sql)).rows, [["1", "ü"]]);
  const wide = utf16("\ufeff/*!40101 SET NAMES utf8mb4 */;INSERT INTO t VALUES (1,'ü'),(2,'é'),(3,'x');", false);
  for (const chunkBytes of [4, 1000]) {
    assert.deepEqual((await read("d.t.sql", wide, { chunkBytes, windowBytes: 5 })).rows, [
      ["1", "ü"],
      ["2", "é"],
      ["3", "x"],
    ]);
  }
});

test("text is converted before it is scanned, and places stay those of the file", async () => {
  const bytes = gbk('1,"乗"\n2,誠"\n'.replace('誠"', "誠文"));
  for (const charset of ["gbk", "gb18030"] as const) {
    for (const windowBytes of [1, 4, 1000]) {
      const { rows, places } = await read("d.t.csv", bytes, { charset, windowBytes, chunkBytes: 3 });
      assert.deepEqual(rows, [
        ["1", "乗"],
        ["2", "誠文"],
      ]);
      assert.deepEqual(places, [0, 7]);
    }
  }
  const latin1 = Uint8Array.of(0x31, 0x2c, 0xe9, 0x80, 0x0a, 0x32, 0x2c, 0x78, 0x0a);
  assert.deepEqual((await read("d.t.csv", latin1, { charset: "latin1" })).rows, [
    ["1", "é€"],
    ["2", "x"],
  ]);
  const four = concatBytes(utf8("1,"), Uint8Array.of(0x81, 0x30, 0x81, 0x30, 0x90, 0x30, 0x81, 0x30), utf8("\n"));
  assert.deepEqual((await read("d.t.csv", four, { charset: "gb18030", windowBytes: 1 })).rows, [
    ["1", "\u0080\u{10000}"],
  ]);
});

test("a SQL dump's own SET NAMES counts, statement by statement", async () => {
  const bytes = concatBytes(
    utf8("INSERT INTO t VALUES (0,'ü');/*!40101 SET NAMES gbk */;\nINSERT INTO t VALUES (1,'"),
    gbk("乗"),
    utf8(
      "');SET character_set_client = utf8mb4;INSERT INTO t VALUES (2,'é');SET NAMES latin1;INSERT INTO t VALUES (3,'",
    ),
    Uint8Array.of(0xe9),
    utf8("'),(4,_gbk'"),
    utf8("x'),(5,'z');"),
  );
  for (const windowBytes of [1, 7, 1000]) {
    for (const chunkBytes of [10, 60, 1000]) {
      const { rows } = await read("d.t.sql", bytes, { windowBytes, chunkBytes });
      assert.deepEqual(rows, [
        ["0", "ü"],
        ["1", "乗"],
        ["2", "é"],
        ["3", "é"],
        ["4", "x"],
        ["5", "z"],
      ]);
    }
  }
  const view = "SET character_set_client = cp850; CREATE VIEW v AS SELECT 1; SET character_set_client = utf8mb4;";
  assert.deepEqual((await read("d.t.sql", utf8(`${view}INSERT INTO t VALUES (1,'ü');`))).rows, [["1", "ü"]]);
  await assert.rejects(
    read("d.t.sql", utf8("SET NAMES big5; INSERT INTO t VALUES (1);")),
    /it has rows in big5, which levin does not know/,
  );
});

test("invalid bytes are an error that names row and byte, or are replaced on demand", async () => {
  const bytes = concatBytes(utf8("1,a\n2,b"), Uint8Array.of(0xff), utf8("c\n3,d\n"));
  for (const windowBytes of [1, 1000]) {
    await assert.rejects(read("d.t.csv", bytes, { charset: "gbk", windowBytes }), (thrown: LevinError) => {
      assert.equal(thrown.code, "Levin:Source:ErrEncoding");
      assert.equal(thrown.message, 'Cannot read "d.t.csv": 0xff is not valid gbk (row 2, byte 7)');
      return true;
    });
    const replaced = await read("d.t.csv", bytes, { charset: "gbk", windowBytes, replacement: "\ufffd" });
    assert.deepEqual(replaced.rows[1], ["2", "b\ufffdc"]);
  }
  const cut = concatBytes(utf8("1,a"), Uint8Array.of(0x81));
  await assert.rejects(read("d.t.csv", cut, { charset: "gbk" }), /0x81 is not valid gbk \(row 1, byte 3\)/);
});

test("invalid UTF-8 is found where it begins", () => {
  const valid = utf8("aü中😀\u{10ffff}\ud7ff\ue000");
  assert.equal(invalidUtf8At(valid, 0, valid.length), -1);
  const bad = [
    [0x80],
    [0xc0, 0x80],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xff],
  ];
  for (const bytes of bad)
    assert.equal(invalidUtf8At(Uint8Array.from([0x61, ...bytes]), 0, bytes.length + 1), 1, String(bytes));
});

test("a file without a byte has no rows in any character set", async () => {
  for (const charset of ["utf8", "gbk", "utf16le", "latin1"] as const)
    for (const name of ["d.t.csv", "d.t.sql"])
      assert.deepEqual((await read(name, new Uint8Array(0), { charset })).rows, [], charset);
});
