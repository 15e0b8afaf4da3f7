import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { LevinError } from "../../src/base/mod.ts";
import { newSqlSession, SqlScanner, type SqlScannerOptions } from "../../src/source/mod.ts";
import { type Cell, type Scanned, scanAll } from "./scan.ts";
import { fuzzSql } from "./sql-fuzz.ts";

function scan(
  text: string,
  options: Partial<SqlScannerOptions> = {},
  step = 1 << 20,
): Scanned & { scanner: SqlScanner } {
  const scanner = new SqlScanner({ file: "db.t.sql", ...options });
  return { ...scanAll(scanner, new TextEncoder().encode(text), () => step, 8), scanner };
}

/** Rows as texts with their kinds, in windows of one byte and at once. */
function rows(text: string, options: Partial<SqlScannerOptions> = {}): Cell[][] {
  const whole = scan(text, options);
  assert.deepEqual(scan(text, { ...options, session: undefined }, 1).rows, whole.rows);
  if (whole.error !== undefined) throw whole.error;
  return whole.rows;
}

interface Literal {
  literal: string;
  sqlMode?: string;
  values?: { kind: string; text?: string }[];
  error?: string;
}

const literals: Literal[] = gunzipSync(
  readFileSync(new URL("../golden/misc/sql-literals.jsonl.gz", import.meta.url).pathname),
)
  .toString("utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Literal);

/** What levin reads differently from Lightning: MySQL's reading, or an error where MySQL would have to compute. */
const differs: Record<string, Cell[] | RegExp> = {
  "+1": [["uint", "1"]],
  "0X41": /found "0x41"/,
  "0x": /found "0x"/,
  "0xG1": /found "0xg1"/,
  "0B101": /found "0b101"/,
  "0b": /found "0b"/,
  "b'12'": /not a bit/,
  "\\N": [["null", ""]],
  "'a\\nb\\tc\\\\d\\0e\\Zf\\bg\\rh\\%i\\_j\\xk'": [["string", "a\nb\tc\\d\0e\x1af\bg\rh\\%i\\_jxk"]],
  "_binary 'x'": [["binary", "x"]],
  "_binary'x'": [["binary", "x"]],
  "_binary 0x41": [["binary", "A"]],
  now: /found "now"/,
  DEFAULT: [["default", ""]],
  abc: /found "abc"/,
  "2020-01-02": /an expression is no constant/,
  "1 2": /expected "," or "\)" behind a value/,
  trueish: /found "trueish"/,
  nullx: /found "nullx"/,
  nan: /found "nan"/,
  "(1)": [["uint", "1"]],
  "1+2": /an expression is no constant/,
  "@v": /a variable is no constant/,
  "12abc": /found "12abc"/,
};

/** A cell in the words of the golden file. */
function golden([kind, text]: Cell): { kind: string; text?: string } {
  if (kind === "null") return { kind };
  if (kind === "hex" || kind === "bit") {
    return { kind: "binaryLiteral", text: `0x${Buffer.from(text, "latin1").toString("hex")}` };
  }
  if (kind === "true" || kind === "false") return { kind: "int", text: kind === "true" ? "1" : "0" };
  if (kind === "int" || kind === "uint") return { kind, text: String(BigInt(text)) };
  return { kind: "string", text: Buffer.from(text, "latin1").toString("utf8") };
}

test("literals are read as Lightning reads them, or as MySQL does where that is another thing", () => {
  for (const { literal, sqlMode, values, error } of literals) {
    const session = newSqlSession(sqlMode);
    const text = `INSERT INTO \`t\` VALUES (${literal})`;
    const other = sqlMode === undefined || literal === "\\N" ? differs[literal] : undefined;
    const found = scan(text, { session });
    const bytewise = scan(text, { session: newSqlSession(sqlMode) }, 1);
    assert.equal(bytewise.error?.message, found.error?.message, literal);
    assert.deepEqual(bytewise.rows, found.rows, literal);
    if (other instanceof RegExp) assert.match(found.error?.message ?? "", other, literal);
    else if (other !== undefined) assert.deepEqual(found.rows, [other], literal);
    else if (error !== undefined) assert.ok(found.error instanceof LevinError, literal);
    else assert.deepEqual(found.rows[0]?.map(golden), values, literal);
  }
});

/** What Lightning reads as several values, and so shifts the columns behind: an error here, or one value, also on demand. */
const shifts = new Set(["b'12'", "_binary 'x'", "_binary'x'", "_binary 0x41", "1 2", "(1)"]);

test("Lightning's own reading on demand", () => {
  for (const { literal, sqlMode, values, error } of literals) {
    if (shifts.has(literal)) continue;
    const text = `INSERT INTO \`t\` VALUES (${literal})`;
    for (const step of [1, 1000]) {
      const found = scan(text, { session: newSqlSession(sqlMode), compatLightning: true }, step);
      if (error !== undefined) assert.ok(found.error instanceof LevinError, literal);
      else assert.deepEqual(found.rows[0]?.map(golden), values, `${literal} ${found.error?.message}`);
    }
  }
});

test("statements of dumps: several, with other columns, REPLACE, IGNORE, bare tuples", () => {
  const text = `
    -- a comment; with 'quotes
    # another
    /*!40101 SET NAMES utf8mb4 */;
    /* block ; ' */
    INSERT INTO \`t\` (\`id\`,\`a b\`) VALUES (1,'x'),
      (2, /* c */ "y" ) -- end
    ;
    INSERT IGNORE db.t VALUES(3,'z');REPLACE INTO t(v , id)VALUES('w',4);
    (5,'bare');
    /*!40000 INSERT INTO t VALUES (6,'in a version comment') */;
    INSERT INTO t VALUE (7,'no delimiter at the end')`;
  const found = scan(text);
  assert.deepEqual(
    found.rows.map((row) => row.map(([, value]) => value)),
    [
      ["1", "x"],
      ["2", "y"],
      ["3", "z"],
      ["w", "4"],
      ["5", "bare"],
      ["6", "in a version comment"],
      ["7", "no delimiter at the end"],
    ],
  );
  assert.deepEqual(found.columns, [
    ["id", "a b"],
    ["id", "a b"],
    undefined,
    ["v", "id"],
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(found.scanner.session.charset, "utf8mb4");
  assert.ok(found.scanner.endedWithoutDelimiter);
  rows(text);
});

test("values of other forms", () => {
  assert.deepEqual(rows("INSERT INTO t VALUES ('a' 'b\\'' \"c\", - 5, N'n', _utf8mb4 'u', ((6)), -0.5e+3)"), [
    [
      ["string", "ab'c"],
      ["int", "-5"],
      ["string", "n"],
      ["string", "u"],
      ["uint", "6"],
      ["float", "-0.5e+3"],
    ],
  ]);
  assert.deepEqual(
    rows("INSERT INTO t VALUES (CONVERT(_binary '\\'x' USING utf8mb4), CAST('{}' AS JSON), x'', DEFAULT)"),
    [
      [
        ["binary", "'x"],
        ["string", "{}"],
        ["hex", ""],
        ["default", ""],
      ],
    ],
  );
});

test("the session's settings are obeyed: NO_BACKSLASH_ESCAPES, ANSI_QUOTES, saved variables, USE, TIME_ZONE", () => {
  const found = scan(`SET @OLD=@@SQL_MODE, SQL_MODE='ANSI,NO_BACKSLASH_ESCAPES', time_zone = '+00:00';
    USE \`x y\`; INSERT INTO "t" ("a") VALUES ('\\');
    /*!40101 SET SQL_MODE=@OLD */; INSERT INTO t VALUES ("\\\\")`);
  assert.equal(found.error, undefined);
  assert.deepEqual(found.rows, [[["string", "\\"]], [["string", "\\"]]]);
  const { session } = found.scanner;
  assert.deepEqual([session.timeZone, session.database, session.sqlMode], ["+00:00", "x y", undefined]);
});

test("DELIMITER blocks and statements that hold no rows go by whole", () => {
  const seen: string[] = [];
  const found = scan(
    `DROP TABLE IF EXISTS t; CREATE TABLE t (a int COMMENT 'x;y'); LOCK TABLES t WRITE;
/*!40000 ALTER TABLE t DISABLE KEYS */;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`root\`@\`%\`*/ /*!50003 TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN SET @x = ';'; INSERT INTO u VALUES (1); END */;;
DELIMITER ;
INSERT INTO t VALUES (1); UNLOCK TABLES; CREATE VIEW v AS SELECT 1`,
    { onStatement: ({ head }) => seen.push(`${head.kind} ${head.name ?? ""}`.trim()) },
  );
  assert.equal(found.error, undefined);
  assert.deepEqual(found.rows, [[["uint", "1"]]]);
  assert.deepEqual(seen, ["drop-table t", "create-table t", "frame", "frame", "routine tr", "frame", "create-view v"]);
});

test("what is cut or cannot be executed is an error with its place", () => {
  const cases: [text: string, code: string, message: RegExp][] = [
    ["INSERT INTO t VALUES (1,'a'),(2,'b", "ErrSyntax", /the string has no end \(row 2, column 2, byte 32\)/],
    ["INSERT INTO t VALUES (1,'a'),(2", "ErrSyntax", /the file ends inside a row \(row 2, column 1, byte 31\)/],
    ["INSERT INTO t VALUES (1,'a'),\n", "ErrSyntax", /the file ends where a row should begin \(row 2, byte 30\)/],
    ["INSERT INTO t VALUES", "ErrSyntax", /the file ends where a row should begin \(row 1, byte 20\)/],
    ["INSERT INTO t", "ErrSyntax", /expected VALUES/],
    ["INSERT INTO t VALUES (1); /* open", "ErrSyntax", /the comment has no end \(row 2, byte 26\)/],
    ["INSERT INTO t VALUES (1) (2)", "ErrSyntax", /expected "," or ";" behind a row \(row 2, byte 25\)/],
    [
      "INSERT INTO t VALUES (now())",
      "ErrUnsupported",
      /the function "now" is no constant \(row 1, column 1, byte 22\)/,
    ],
    ["INSERT INTO t VALUES (1,2*3)", "ErrUnsupported", /an expression is no constant \(row 1, column 2, byte 25\)/],
    ["INSERT INTO t SELECT 1", "ErrUnsupported", /INSERT … SELECT is not row data/],
    ["INSERT INTO t SET a = 1", "ErrUnsupported", /INSERT … SET is not row data/],
    ["DELETE FROM t", "ErrUnsupported", /the statement is no row data/],
  ];
  for (const [text, code, message] of cases) {
    for (const step of [1, 1000]) {
      const { error } = scan(text, {}, step);
      assert.match(error?.message ?? "", message, text);
      assert.equal((error as LevinError).code, `Levin:Source:${code}`, text);
    }
  }
});

test("ON DUPLICATE KEY UPDATE is left out and counted", () => {
  const found = scan("INSERT INTO t VALUES (1),(2) ON DUPLICATE KEY UPDATE a = VALUES(a); INSERT INTO t VALUES (3);");
  assert.equal(found.error, undefined);
  assert.equal(found.rows.length, 3);
  assert.equal(found.scanner.updateClauseCount, 1);
});

test("the scanner equals the plain reference on random and damaged dumps, read and skipped", () => {
  for (let seed = 1; seed <= 2000; seed++) fuzzSql(seed);
});
