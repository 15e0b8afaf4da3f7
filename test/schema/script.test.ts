import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { parseSqlMode, parseStatement, retarget, runScript, splitScript } from "../../src/schema/mod.ts";

const mode = parseSqlMode("");

test("a script is cut at its delimiters, not inside strings, names and comments", () => {
  const script = `-- head; no statement
SET @a = 'x;y', @b = "it\\"s;";  # tail;
/*!40101 SET NAMES utf8mb4 */;
CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`d;1\` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;
/* plain ; comment */
CREATE TABLE t (a int /* ; */ comment 'a;b'); ;
INSERT INTO \`d\`.\`t\` VALUES (1),(2)`;
  const parts = splitScript(script, mode);
  assert.deepEqual(
    parts.map(({ class: kind, text }) => [kind, text]),
    [
      ["set", `SET @a = 'x;y', @b = "it\\"s;"`],
      ["set", "/*!40101 SET NAMES utf8mb4 */"],
      ["create database", "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `d;1` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"],
      ["create table", "CREATE TABLE t (a int /* ; */ comment 'a;b')"],
      ["insert", "INSERT INTO `d`.`t` VALUES (1),(2)"],
    ],
  );
  assert.deepEqual(
    parts.map(({ target, ifNotExists }) => [target?.schema, target?.name, ifNotExists]),
    [
      [undefined, undefined, false],
      [undefined, undefined, false],
      [undefined, "d;1", true],
      [undefined, "t", false],
      ["d", "t", false],
    ],
  );
  for (const part of parts) assert.equal(script.slice(part.start, part.end), part.text);
});

test("DELIMITER lines of the mysql client are followed", () => {
  const script = `DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`r\`@\`%\`*/ /*!50003 TRIGGER \`tr\` BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; END */;;
DELIMITER ;
SET @x = 1;
delimiter //
CREATE PROCEDURE p() BEGIN SELECT 1; END//
`;
  const parts = splitScript(script, mode);
  assert.deepEqual(
    parts.map(({ class: kind }) => kind),
    ["create trigger", "set", "create procedure"],
  );
  assert.ok(parts[0]!.text.startsWith("/*!50003 CREATE*/") && parts[0]!.text.endsWith("END */"));
  assert.equal(parts[2]!.text, "CREATE PROCEDURE p() BEGIN SELECT 1; END");
});

test("a table is created under another name by its places only", () => {
  const cases: [string, string][] = [
    ["CREATE TABLE t (a int, b text default 't')", "CREATE TABLE IF NOT EXISTS `d`.`n` (a int, b text default 't')"],
    ["create table if not exists `x`.`t`(a int)", "create table if not exists `d`.`n`(a int)"],
    ["CREATE TABLE /* t */ x . t (t int)", "CREATE TABLE IF NOT EXISTS /* t */ `d`.`n` (t int)"],
    ["CREATE TEMPORARY TABLE `t``x` LIKE u", "CREATE TEMPORARY TABLE IF NOT EXISTS `d`.`n` LIKE u"],
    ["/*!50001 CREATE VIEW `v` AS SELECT 1 */", "/*!50001 CREATE VIEW `d`.`n` AS SELECT 1 */"],
  ];
  for (const [from, to] of cases) {
    const [statement] = splitScript(from, mode);
    assert.equal(retarget(statement!, { schema: "d", name: "n" }), to);
  }
  const [quoted] = splitScript('CREATE TABLE "t" (a int)', parseSqlMode("ANSI_QUOTES"));
  const text = retarget(quoted!, { name: "a`b" });
  assert.equal(text, "CREATE TABLE IF NOT EXISTS `a``b` (a int)");
  const parsed = parseStatement(text, mode);
  assert.ok(parsed.kind === "create table" && parsed.table.name === "a`b");
});

test("the DDL of a dump is executed, the rest passed over, errors name the script's line", () => {
  const session = { sqlMode: mode, timeZone: "UTC", newCollation: true, clusteredIndex: "on", nowMs: 0 } as const;
  const catalog = runScript(
    "SET a = 1;\nCREATE DATABASE x;\nUSE x;\nCREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\nALTER TABLE t ADD b int;",
    session,
  );
  assert.deepEqual(
    catalog.table("x", "t")!.cols.map(({ name }) => name.O),
    ["a", "b"],
  );
  assert.equal(runScript("create table t (a int)", { ...session, database: "d" }).tables("d").length, 1);
  assert.throws(
    () => runScript("SET a = 1;\n\ncreate table t (\n  a int,\n  b point);", { ...session, database: "d" }),
    /the type POINT is not supported \(line 5 of the script\)$/,
  );
  assert.throws(
    () => runScript("\ncreate table t (a int, a int)", { ...session, database: "d" }),
    /'a' \(error 1060\) \(line 2 of/,
  );
});

test("what has no end is refused with its place", () => {
  for (const script of ["SELECT 'abc", "SELECT `a", "/* x", "SET x = 1; /*!40101 SET y = 2;"]) {
    assert.throws(
      () => splitScript(script, mode),
      (error) => error instanceof LevinError && error.code === "Levin:Schema:ErrSyntax" && error.fields["line"] === 1,
      script,
    );
  }
});
