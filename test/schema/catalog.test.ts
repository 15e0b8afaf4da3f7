import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import {
  Catalog,
  type DdlSession,
  DEFAULT_SQL_MODE,
  Flag,
  parseSqlMode,
  showCreateTable,
  type TableInfo,
} from "../../src/schema/mod.ts";

function session(more: Partial<DdlSession> = {}): DdlSession {
  return {
    sqlMode: parseSqlMode(DEFAULT_SQL_MODE),
    timeZone: "UTC",
    database: "d",
    newCollation: true,
    clusteredIndex: "on",
    nowMs: 1_700_000_000_123,
    ...more,
  };
}

function catalogWith(...statements: string[]): Catalog {
  let id = 1;
  const catalog = new Catalog(() => id++);
  catalog.execute("create database d", session());
  for (const sql of statements) catalog.execute(sql, session());
  return catalog;
}

function tableOf(sql: string, more: Partial<DdlSession> = {}): TableInfo {
  return catalogWith().execute(sql, session(more)).changes[0]!.after!;
}

const columnNames = (table: TableInfo) => table.cols.map(({ name, id }) => `${name.O}:${id}`).join(" ");
const indexNames = (table: TableInfo) =>
  (table.index_info ?? [])
    .map(({ idx_name, id, idx_cols }) => `${idx_name.O}:${id}(${idx_cols.map(({ offset }) => offset)})`)
    .join(" ");

test("statements that TiDB refuses have its number and words", () => {
  const catalog = catalogWith(
    "create table t (a int primary key, b varchar(10), c int as (b + 1), key kb (b), key kab (a, b))",
    "create view v as select 1",
    "create sequence s",
    "create table p (a int) partition by range (a) (partition p0 values less than (1), partition p1 values less than (5))",
  );
  const cases: [string, number, RegExp][] = [
    ["create database d", 1007, /database exists/],
    ["drop database x", 1008, /doesn't exist/],
    ["use x", 1049, /Unknown database 'x'/],
    ["create table x.t (a int)", 1049, /Unknown database/],
    ["create table t (a int)", 1050, /Table 'd.t' already exists/],
    ["drop table x", 1051, /Unknown table 'd.x'/],
    ["drop sequence x", 4139, /Unknown SEQUENCE: 'd.x'/],
    ["drop view t", 1347, /'d.t' is not VIEW/],
    ["create tabel x (a int)", 1064, /line 1 column 12 near "tabel x \(a int\)"/],
    ["create table x (a int", 1064, /line 1 column 21 near ""/],
    ["create table x (a int, A int)", 1060, /Duplicate column name 'A'/],
    ["create table x (a int, key k (a), unique K (a))", 1061, /Duplicate key name 'K'/],
    ["create table x (a int, key (b))", 1072, /Key column 'b' doesn't exist/],
    ["create table x (a int, key ((cast(b as signed))))", 1054, /Unknown column 'b'/],
    ["create table x (a text, key (a))", 1170, /used in key specification without a key length/],
    ["create table x (a int, key (a(3)))", 1089, /Incorrect prefix key/],
    ["create table x (a varchar(800), key (a))", 1071, /\(3200 bytes\); max key length is 3072 bytes/],
    ["create table x (a json, key (a))", 3152, /JSON column 'a' cannot be used in key/],
    ["create table x (a int default 'x')", 1067, /Invalid default value for 'a'/],
    ["create table x (a int not null default null)", 1067, /Invalid default value/],
    ["create table x (a date default '2020-02-30')", 1067, /Invalid default value/],
    ["create table x (a text default 'x')", 1101, /can't have a default value/],
    ["create table x (a datetime(3) default now())", 1067, /Invalid default value/],
    ["create table x (a int default (sleep(1)))", 3770, /disallowed function/],
    ["create table x (a int null primary key)", 1171, /must be NOT NULL/],
    ["create table x (a int auto_increment)", 1075, /only one auto column/],
    ["create table x (a int auto_random primary key)", 8216, /bigint/],
    ["create table x (a varchar(99999))", 1074, /Column length too big for column 'a' \(max = 16383\)/],
    ["create table x (a int collate nope)", 1273, /Unknown collation: 'nope'/],
    ["create table x (a varchar(3) collate latin1_swedish_ci)", 1273, /Unsupported collation when new collation/],
    ["create table x (a varchar(3) charset latin1 collate utf8mb4_bin)", 1253, /is not valid for CHARACTER SET/],
    ["create table x (a int) charset nope", 1115, /Unknown character set: 'nope'/],
    ["create table x (a int as (b))", 1054, /Unknown column 'b'/],
    ["create table x (a int as (b), b int as (1))", 3107, /defined prior to it/],
    ["create table x (a int as (now()))", 3102, /disallowed function/],
    ["create table x (a int) partition by hash (a + b)", 1054, /Unknown column 'b'/],
    [
      "create table x (a int) partition by range (a) (partition p0 values less than (2), partition p1 values less than (2))",
      1493,
      /strictly increasing/,
    ],
    [
      "create table x (a int) partition by range (a) (partition p values less than (2), partition P values less than (3))",
      1517,
      /Duplicate partition name p/,
    ],
    ["create table x (a int primary key, b int) partition by hash (b)", 1503, /must include all columns/],
    [
      "create table x (a int, b int, unique key u (a)) partition by hash (b)",
      8264,
      /Global Index is needed for index 'u'/,
    ],
    ["create table x (a enum('a','a'))", 1291, /duplicated value 'a' in ENUM/],
    ["alter table x add a int", 1146, /Table 'd.x' doesn't exist/],
    ["alter table t add b int", 1060, /Duplicate column name 'b'/],
    ["alter table t drop column x", 1091, /Can't DROP 'x'/],
    ["alter table t drop column b", 3108, /generated column dependency/],
    ["alter table t drop index x", 1091, /check that column\/key exists/],
    ["alter table t drop primary key", 8200, /clustered index/],
    ["alter table t add index kb (a)", 1061, /Duplicate key name 'kb'/],
    ["alter table t modify x int", 1054, /Unknown column 'x'/],
    ["alter table t add partition (partition p values less than (1))", 1505, /not partitioned/],
    ["alter table p drop partition x", 1735, /Unknown partition 'x'/],
    ["alter table p drop partition p0, p1", 1508, /Cannot remove all partitions/],
    ["alter table p add partition (partition p2 values less than (5))", 1493, /strictly increasing/],
    ["alter table v add a int", 1347, /is not BASE TABLE/],
  ];
  const before = catalog.toJson();
  for (const [sql, errno, words] of cases) {
    let error: unknown;
    try {
      catalog.execute(sql, session());
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(error instanceof LevinError, sql);
    assert.equal(error.fields["errno"], errno, `${sql}: ${error.message}`);
    assert.match(`${error.fields["sqlMessage"]}`, words, sql);
  }
  assert.equal(catalog.toJson(), before, "a refused statement changes nothing");
});

test("unsupported statements are refused with their place", () => {
  const catalog = catalogWith("create table t (a int)");
  for (const sql of [
    "create procedure p() begin end",
    "create table x (a point)",
    "create table x select 1",
    "create spatial index i on t (a)",
    "insert into t values (1)",
    "create table x (a int, key ((interval(a, 1))))",
  ]) {
    assert.throws(
      () => catalog.execute(sql, session()),
      (error) =>
        error instanceof LevinError &&
        error.code === "Levin:Schema:ErrUnsupported" &&
        error.fields["offset"] !== undefined,
      sql,
    );
  }
});

test("ALTER TABLE keeps, moves and renews ids as TiDB does", () => {
  const catalog = catalogWith(
    "create table t (a int, b varchar(5), c decimal(5,2), e enum('x','y'), key kb (b), key kc (c, a))",
  );
  const alter = (sql: string) => catalog.execute(`alter table t ${sql}`, session()).changes.at(-1)!.after!;
  assert.equal(columnNames(alter("add x int first, add y int after a")), "x:5 a:1 y:6 b:2 c:3 e:4");
  assert.equal(indexNames(catalog.table("d", "t")!), "kb:1(3) kc:2(4,1)");
  assert.equal(columnNames(alter("modify b varchar(9)")), "x:5 a:1 y:6 b:2 c:3 e:4");
  assert.equal(columnNames(alter("modify c decimal(6,2)")), "x:5 a:1 y:6 b:2 c:7 e:4");
  assert.equal(indexNames(catalog.table("d", "t")!), "kb:1(3) kc:3(4,1)");
  assert.equal(columnNames(alter("modify e enum('x','y','z') first")), "e:4 x:5 a:1 y:6 b:2 c:7");
  assert.equal(columnNames(alter("change x z bigint after b")), "e:4 a:1 y:6 b:2 z:5 c:7");
  assert.equal(columnNames(alter("rename column y to Y2, drop column z")), "e:4 a:1 Y2:6 b:2 c:7");
  assert.equal(indexNames(alter("add unique (a), add index (a), drop index kb")), "kc:3(4,1) a:4(1) a_2:5(1)");
  assert.equal(indexNames(alter("add index ei ((a + 1)), rename index ei to ej")), "kc:3(4,1) a:4(1) a_2:5(1) ej:6(5)");
  assert.equal(catalog.table("d", "t")!.cols.at(-1)!.name.O, "_V$_ej_0");
  assert.equal(columnNames(alter("drop index ej")), "e:4 a:1 Y2:6 b:2 c:7");
  assert.equal(indexNames(alter("add primary key (Y2) nonclustered")), "kc:3(4,1) a:4(1) a_2:5(1) PRIMARY:7(2)");
  const renamed = catalog.execute("rename table t to u", session()).changes;
  assert.deepEqual(
    renamed.map(({ before, after }) => [before?.name.O, after?.name.O]),
    [
      ["t", undefined],
      [undefined, "u"],
    ],
  );
  const id = catalog.table("d", "u")!.id;
  const truncated = catalog.execute("truncate u", session()).changes[0]!;
  assert.equal(truncated.before!.id, id);
  assert.notEqual(truncated.after!.id, id);
});

test("a column that is added holds for old rows what TiDB would give them", () => {
  const catalog = catalogWith("create table t (a int)");
  const origin = (type: string) => {
    const table = catalog.execute(`alter table t add column x ${type}`, session({ timeZone: "+08:00" })).changes[0]!
      .after!;
    catalog.execute("alter table t drop column x", session());
    const { origin_default, origin_default_bit } = table.cols.at(-1)!;
    return origin_default_bit ? [origin_default, origin_default_bit] : origin_default;
  };
  assert.equal(origin("int"), null);
  assert.equal(origin("int not null"), "0");
  assert.equal(origin("varchar(3) not null"), "");
  assert.equal(origin("enum('p','q') not null"), "p");
  assert.equal(origin("date not null"), "0000-00-00");
  assert.equal(origin("datetime(2) not null"), "0000-00-00 00:00:00.00");
  assert.deepEqual(origin("bit(9) default b'101'"), ["\u0005", "BQ=="]);
  assert.equal(origin("timestamp default current_timestamp"), "2023-11-14 22:13:20");
  assert.equal(origin("datetime(3) default current_timestamp(3)"), "2023-11-15 06:13:20.123");
  assert.equal(origin("timestamp default '2020-01-01 00:00:00'"), "2019-12-31 16:00:00");
});

test("partition management gives new physical ids only to new partitions", () => {
  const catalog = catalogWith(
    "create table r (a int) partition by range (a) (partition p0 values less than (1), partition p1 values less than (5))",
    "create table h (a int) partition by hash (a) partitions 2",
    "create table n (a int)",
  );
  const parts = (name: string) =>
    catalog
      .table("d", name)!
      .partition!.definitions.map((p) => `${p.name.O}:${p.id}`)
      .join(" ");
  const start = parts("r");
  catalog.execute("alter table r add partition (partition p2 values less than maxvalue)", session());
  assert.ok(parts("r").startsWith(start));
  const [p0, p1] = start.split(" ");
  catalog.execute("alter table r truncate partition p1", session());
  assert.equal(parts("r").split(" ")[0], p0);
  assert.notEqual(parts("r").split(" ")[1], p1);
  catalog.execute(
    "alter table r reorganize partition p2 into (partition p2 values less than (9), partition p3 values less than (12))",
    session(),
  );
  assert.deepEqual(
    catalog.table("d", "r")!.partition!.definitions.map(({ less_than }) => less_than![0]),
    ["1", "5", "9", "12"],
  );
  const before = parts("h");
  catalog.execute("alter table h add partition partitions 1", session());
  assert.equal(catalog.table("d", "h")!.partition!.num, 3);
  assert.ok(before.split(" ").every((part) => !parts("h").includes(part)));
  catalog.execute("alter table h coalesce partition 2", session());
  assert.equal(parts("h").split(" ").length, 1);
  const n = catalog.table("d", "n")!.id;
  const h = catalog.table("d", "h")!.partition!.definitions[0]!.id;
  catalog.execute("alter table h exchange partition p0 with table n", session());
  assert.equal(catalog.table("d", "n")!.id, h);
  assert.equal(catalog.table("d", "h")!.partition!.definitions[0]!.id, n);
  catalog.execute("alter table h remove partitioning", session());
  assert.equal(catalog.table("d", "h")!.partition, null);
});

test("CREATE TABLE LIKE and SHOW CREATE TABLE make the same table again", () => {
  const text = [
    "CREATE TABLE `t` (",
    "  `id` bigint(20) NOT NULL /*T![auto_rand] AUTO_RANDOM(6, 54) */,",
    "  `s` varchar(10) CHARACTER SET gbk COLLATE gbk_bin DEFAULT 'it''s\\\\',",
    "  `u` timestamp(3) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(3) COMMENT 'x\\ny',",
    "  `z` int(5) unsigned zerofill NOT NULL DEFAULT '00007',",
    "  PRIMARY KEY (`id`) /*T![clustered_index] CLUSTERED */,",
    "  KEY `k` (`s`(3),`u`) /*!80000 INVISIBLE */ COMMENT 'c',",
    "  KEY `e` ((upper(`s`))),",
    "  CONSTRAINT `f` FOREIGN KEY (`z`) REFERENCES `o`.`p` (`q`) ON DELETE CASCADE ON UPDATE SET NULL",
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='t''s' /*T![ttl] TTL=`u` + INTERVAL 3 MONTH */ /*T![ttl] TTL_ENABLE='OFF' */ /*T![ttl] TTL_JOB_INTERVAL='2h' */",
  ].join("\n");
  const first = tableOf(text);
  const shown = showCreateTable(first, session());
  assert.equal(
    shown,
    text
      .replace("DEFAULT '00007'", "DEFAULT '7'")
      .replace(") ENGINE", ")\u0000")
      .replace("\n)\u0000", "\n) ENGINE")
      .replace("  CONSTRAINT", "  KEY `f` (`z`),\n  CONSTRAINT"),
  );
  const again = tableOf(shown);
  // TiDB does not mark the column of an index that it makes for a foreign key; written as KEY it is marked.
  first.cols.find(({ name }) => name.L === "z")!.type.Flag |= Flag.multipleKey;
  assert.deepEqual({ ...again, id: 0 }, { ...first, id: 0 });
  const catalog = catalogWith(shown, "create table t2 like t");
  const { fk_info, name, id: _, ...copy } = catalog.table("d", "t2")!;
  assert.equal(name.O, "t2");
  assert.equal(fk_info, null);
  const { fk_info: __, name: ___, id: ____, ...original } = catalog.table("d", "t")!;
  assert.deepEqual(copy, original);
});
