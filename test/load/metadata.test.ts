/** Reference §17 case 10, and the forms of other dumpers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DmError, MetadataFormatError, parseGtidSet, parseMetadata, positionText } from "../../src/load/mod.ts";

const A = "5b5a8e4e-9b43-11ea-900d-0242ac170002";
const B = "5b642cb6-9b43-11ea-8914-0242ac170003";
const C = "97b5142f-e19c-11e8-808c-0242ac110005";
const three = (b = 7, c = 13) => `${A}:1-10,\n${B}:1-${b},\n${C}:1-${c}`;
const flat = (b = 7, c = 13) => three(b, c).replaceAll("\n", "");
const REPLICA = `SHOW SLAVE STATUS:\n\tHost: 192.168.100.100\n\tLog: mysql-bin.000003\n\tPos: 700\n\tGTID:${three()}\n\n`;
const AFTER = "SHOW MASTER STATUS: /* AFTER CONNECTION POOL ESTABLISHED */";

const block = (log: string, pos: number, gtid?: string, head = "SHOW MASTER STATUS:") =>
  `${head}\n\tLog: ${log}\n\tPos: ${pos}\n${gtid === undefined ? "" : `\tGTID:${gtid}\n`}`;
const dumped = (...parts: string[]) =>
  `Started dump at: 2020-05-21 18:14:49\n${parts.join("")}Finished dump at: 2020-05-21 18:14:50`;

const shapes: [name: string, text: string, position: string, gtid: string, second?: [string, string]][] = [
  ["one GTID set", dumped(block("bin.000001", 2479, `${C}:1-13`), "\n"), "(bin.000001, 2479)", `${C}:1-13`],
  [
    "empty GTID set",
    dumped(
      block("mysql-bin.000003", 3295817, ""),
      "\n",
      block("mysql-bin.000003", 329635, "", "SHOW SLAVE STATUS:"),
      "\n",
    ),
    "(mysql-bin.000003, 3295817)",
    "",
  ],
  [
    "several lines of GTID sets, an empty line",
    dumped(block("mysql-bin.000003", 1274, three()), "\n", REPLICA),
    "(mysql-bin.000003, 1274)",
    flat(),
  ],
  [
    "several lines of GTID sets, no empty line",
    dumped(block("mysql-bin.000003", 1274, three())),
    "(mysql-bin.000003, 1274)",
    flat(),
  ],
  [
    "a second location with another GTID set",
    dumped(
      block("mysql-bin.000003", 1274, three()),
      "\n",
      REPLICA,
      block("mysql-bin.000003", 1280, three(7, 14), AFTER),
      "\n",
    ),
    "(mysql-bin.000003, 1274)",
    flat(),
    ["(mysql-bin.000003, 1280)", flat(7, 14)],
  ],
  [
    "a second location in another file",
    dumped(
      block("mysql-bin.000003", 1274, three()),
      "\n",
      REPLICA,
      block("mysql-bin.000004", 4, three(9), AFTER),
      "\n",
    ),
    "(mysql-bin.000003, 1274)",
    flat(),
    ["(mysql-bin.000004, 4)", flat(9)],
  ],
  [
    "no GTID sets",
    `${dumped(block("changelog.000003", 12470000), "\n", block("changelog.000003", 12470000, undefined, AFTER), "\n")}\n`,
    "(changelog.000003, 12470000)",
    "",
    ["(changelog.000003, 12470000)", ""],
  ],
];

for (const [name, text, position, gtid, second] of shapes) {
  test(`§17.10: ${name}`, () => {
    const { location, afterConnect } = parseMetadata(text);
    assert.equal(positionText(location), position);
    assert.equal(location.gtid, gtid);
    const found = afterConnect && [positionText(afterConnect), afterConnect.gtid];
    assert.deepEqual(found, second);
  });
}

test("§17.10: a file without a location is 11123, low, of the upstream", () => {
  for (const text of [
    "Started dump at: 2024-11-18\nSHOW BINARY LOG STATUS:\n\tLog: b\n\tPos: 16127\n\n",
    "",
    block("bin.000001", 0, ""),
  ]) {
    assert.throws(
      () => parseMetadata(text, "metadata"),
      (error: DmError) =>
        error.message ===
        "[code=11123:class=functional:scope=upstream:level=low], Message: didn't found binlog location in dumped metadata file metadata, " +
          "Workaround: Please check log of dump unit, there maybe errors when read upstream binlog status",
    );
  }
});

test("a block that the file cuts off, a position and a GTID set that are none", () => {
  for (const text of [
    "SHOW MASTER STATUS:\n\tLog: bin.1\n\tPos: 4",
    block("b", 4, "no-gtid"),
    "SHOW MASTER STATUS:\n Log: b\n Pos: 4294967296\n\n",
  ]) {
    assert.throws(() => parseMetadata(text), MetadataFormatError, text);
  }
});

test("mydumper since 0.14, Dumpling of TiDB, MariaDB's sets", () => {
  const sections = `# Started dump at: 2023-06-09 11:47:18
[master]
# Channel_Name = '' # It can be use to setup replication FOR CHANNEL
File = mydumper1-bin.000017
Position = 241149225
Executed_Gtid_Set = ${C.toUpperCase()}:1-147115,${A}:1-61558

[\`sakila\`.\`store\`]
Rows = 2
# Finished dump at: 2023-06-09 11:47:19
`;
  const found = parseMetadata(sections);
  assert.deepEqual(
    [found.form, positionText(found.location), found.location.gtid, found.startedAt, found.finishedAt],
    [
      "sections",
      "(mydumper1-bin.000017, 241149225)",
      `${A}:1-61558,${C}:1-147115`,
      "2023-06-09 11:47:18",
      "2023-06-09 11:47:19",
    ],
  );
  const newest = parseMetadata(
    `[config]\nquote_character = BACKTICK\n[source]\nSOURCE_LOG_FILE = "b.1"\n# SOURCE_LOG_POS = 157\nexecuted_gtid_set = ""\n`,
  );
  assert.equal(positionText(newest.location), "(b.1, 157)");
  const tidb = parseMetadata(dumped("SHOW MASTER STATUS:\n\tLog: tidb-binlog\n\tPos: 470607239611678720\n\tGTID:\n\n"));
  assert.equal(positionText(tidb.location), "(tidb-binlog, 470607239611678720)");
  const maria = parseMetadata(dumped(block("m-bin.000002", 331, "1-2-30,0-1-7331"), "\n"));
  assert.equal(maria.location.gtid, "0-1-7331,1-2-30");
});

test("GTID sets come out as DM prints them", () => {
  const cases: [string, string | undefined][] = [
    ["", ""],
    [`${C}:7:1-5:6`, `${C}:1-7`],
    [`${C.toUpperCase()}:1-3 , ${A}:5,${C}:9-10`, `${A}:5,${C}:1-3:9-10`],
    ["0-1-5,0-1-9,0-2-3", "0-1-9,0-2-3"],
    [`${C}:1-5:tag_a:1-2:4`, `${C}:1-5,${C}:tag_a:1-2:4`],
    [`${C}:0`, undefined],
    [`${C}:5-4`, undefined],
    [`${C}`, undefined],
    ["0-1-18446744073709551616", undefined],
    ["4294967296-1-1", undefined],
    [`${C}:1,0-1-5`, undefined],
    ["Finished dump at: 2020", undefined],
  ];
  for (const [given, wanted] of cases) assert.equal(parseGtidSet(given)?.text, wanted, given);
});
