import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { type Expr, PARTITION_STYLE, parseExpr, parseSqlMode, printExpr } from "../../src/schema/mod.ts";

/** The tree as nested calls, to see the precedence. */
function shape(expr: Expr): string {
  switch (expr.kind) {
    case "call":
      return `${expr.name}(${expr.args.map(shape).join(" ")})`;
    case "column":
      return [expr.schema, expr.table, expr.name].filter((part) => part !== undefined).join(".");
    case "int":
      return `${expr.value}`;
    case "string":
      return `'${expr.text}'`;
    case "cast":
      return `cast(${shape(expr.arg)} ${expr.to.type})`;
    case "collate":
      return `collate(${shape(expr.arg)} ${expr.collation})`;
    case "row":
      return `row(${expr.items.map(shape).join(" ")})`;
    case "unit":
      return expr.unit;
    default:
      return expr.kind;
  }
}

test("precedence is MySQL's", () => {
  const cases: [string, string][] = [
    ["a + b * c", "plus(a mul(b c))"],
    ["a - b - c", "minus(minus(a b) c)"],
    ["a | b & c << d + e * f ^ g", "bitor(a bitand(b leftshift(c plus(d mul(e bitxor(f g))))))"],
    ["-a ^ b", "bitxor(unaryminus(a) b)"],
    ["!a + b", "plus(not(a) b)"],
    ["not a + b = c", "not(eq(plus(a b) c))"],
    ["a or b xor c and not d", "or(a xor(b and(c not(d))))"],
    ["a || b && c", "or(a and(b c))"],
    ["a = b = c", "eq(eq(a b) c)"],
    ["a = b is null", "isnull(eq(a b))"],
    ["a is not true", "not(istrue(a))"],
    ["a between 1 and b + 1 and c", "and(between(a 1 plus(b 1)) c)"],
    ["a not between 1 and 2", "not(between(a 1 2))"],
    ["a not in (1, 2)", "not(in(a 1 2))"],
    ["(a, b) in ((1, 2))", "in(row(a b) row(1 2))"],
    ["a like 'x' escape '!' or b", "or(like(a 'x' '!') b)"],
    ["a rlike b", "regexp(a b)"],
    ["binary a = b", "eq(cast(a binary) b)"],
    ["binary a collate utf8mb4_bin", "cast(collate(a utf8mb4_bin) binary)"],
    ["s.t.a.b", ""],
    ["s.t.a", "s.t.a"],
    ["a + interval 1 day - interval b month", "date_sub(date_add(a 1 DAY) b MONTH)"],
    ["interval 1 day + a + 1", "plus(date_add(a 1 DAY) 1)"],
    ["interval(1) day + a", "date_add(a 1 DAY)"],
    ["interval(1, 2, 3)", "interval(1 2 3)"],
    ["a->'$.x' + 1", "plus(json_extract(a '$.x') 1)"],
    ["t.a->>'$.x'", "json_unquote(json_extract(t.a '$.x'))"],
    ["1 member of (a->'$.x')", "json_memberof(1 json_extract(a '$.x'))"],
    ["mod(a, b) mod c", "mod(mod(a b) c)"],
    ["adddate(a, 3)", "adddate(a 3 DAY)"],
    ["timestampdiff(sql_tsi_month, a, b)", "timestampdiff(MONTH a b)"],
    ["substring(a from 2 for 3)", "substring(a 2 3)"],
    ["'a' 'b' \"c\"", "'abc'"],
    ["next value for sq", "nextval(sq)"],
    ["current_timestamp", "current_timestamp()"],
  ];
  for (const [text, expected] of cases) {
    if (expected === "") assert.throws(() => parseExpr(text), LevinError, text);
    else assert.equal(shape(parseExpr(text)), expected, text);
  }
  assert.equal(shape(parseExpr("a || b + c", parseSqlMode("PIPES_AS_CONCAT"))), "plus(concat(a b) c)");
  assert.equal(shape(parseExpr("not a + b", parseSqlMode("HIGH_NOT_PRECEDENCE"))), "plus(not(a) b)");
  assert.equal(shape(parseExpr('"a" + 1', parseSqlMode("ANSI"))), "plus(a 1)");
});

test("literals keep their values", () => {
  const literal = (text: string, mode = "") => {
    const { at: _, ...rest } = parseExpr(text, parseSqlMode(mode)) as unknown as Record<string, unknown>;
    return rest;
  };
  assert.deepEqual(literal("18446744073709551615"), { kind: "int", value: 18446744073709551615n });
  assert.deepEqual(literal("18446744073709551616"), { kind: "decimal", text: "18446744073709551616" });
  assert.deepEqual(literal(".50"), { kind: "decimal", text: "0.50" });
  assert.deepEqual(literal("1.5e-3"), { kind: "float", value: 0.0015, text: "1.5e-3" });
  assert.deepEqual(literal("x'00fF'"), { kind: "hex", bytes: Uint8Array.of(0, 255) });
  assert.deepEqual(literal("0xabc"), { kind: "hex", bytes: Uint8Array.of(10, 188) });
  assert.deepEqual(literal("b'100000001'"), { kind: "bit", bytes: Uint8Array.of(1, 1) });
  assert.deepEqual(literal("_latin1'x'"), { kind: "string", text: "x", charset: "latin1" });
  assert.deepEqual(literal("N'x'"), { kind: "string", text: "x", charset: "utf8" });
  assert.deepEqual(literal("{ts '2020-01-01 00:00:00'}"), {
    kind: "temporal",
    type: "timestamp",
    text: "2020-01-01 00:00:00",
  });
  assert.deepEqual(literal("'a''b\\n\\%\\'\\x'"), { kind: "string", text: "a'b\n\\%'x" });
  assert.deepEqual(literal("'a\\n'", "NO_BACKSLASH_ESCAPES"), { kind: "string", text: "a\\n" });
  assert.deepEqual(literal("/*!40101 true */ -- end"), { kind: "bool", value: true });
  assert.deepEqual(literal("@@global.sql_mode"), { kind: "variable", system: true, name: "global.sql_mode" });
});

test("prints TiDB's canonical text, which reads back as the same", () => {
  const cases: [string, string][] = [
    ["A+1", "`A` + 1"],
    ["t.a<>1 and not b", "`a` != 1 and not `b`"],
    ["concat(b,'-',\"it's\")", "concat(`b`, _utf8mb4'-', _utf8mb4'it''s')"],
    ["if(a>0,1,-1)", "if(`a` > 0, 1, -1)"],
    ["((a))", "((`a`))"],
    ["a not in (1,null)", "`a` not in (1,null)"],
    ["a is not unknown", "`a` is not null"],
    ["a is not false", "`a` is not false"],
    ["a not like 'x' escape '|'", "`a` not like _utf8mb4'x' escape '|'"],
    ["case a when 1 then b else c end", "case `a` when 1 then `b` else `c` end"],
    ["cast(a->'$.u' as unsigned array)", "cast(json_extract(`a`, _utf8mb4'$.u') as unsigned array)"],
    ["cast(a as decimal)", "cast(`a` as decimal(10))"],
    ["cast(a as decimal(6,1))", "cast(`a` as decimal(6, 1))"],
    ["cast(a as char(3) charset latin1)", "cast(`a` as char(3) charset latin1)"],
    ["convert(a using gbk)", "convert(`a` using 'gbk')"],
    ["convert(a,signed integer)", "convert(`a`, signed)"],
    ["char(65,66 using utf8mb4)", "char_func(65, 66, 'utf8mb4')"],
    ["trim(leading from a)", "trim(leading _utf8mb4' ' from `a`)"],
    ["trim('x' from a)", "trim(_utf8mb4'x' from `a`)"],
    ["date_add(a, interval '1:30' hour_minute)", "date_add(`a`, interval _utf8mb4'1:30' hour_minute)"],
    ["extract(year_month from a)", "extract(year_month from `a`)"],
    ["position(a in b)", "position(`a` in `b`)"],
    ["date'2020-01-01'", "DATE '2020-01-01'"],
    ["1e3", "1e+03"],
    ["0x0aff", "x'0aff'"],
    ["b'0101'", "b'101'"],
    ["weight_string(a as char(3))", "weight_string(`a` as char(3))"],
    ["a regexp b", "`a` regexp `b`"],
    ["!a", "!`a`"],
    ["`a``b`", "`a``b`"],
    ["binary a", "binary `a`"],
  ];
  for (const [text, expected] of cases) {
    const printed = printExpr(parseExpr(text));
    assert.equal(printed, expected);
    assert.equal(printExpr(parseExpr(printed)), expected);
  }
  assert.equal(printExpr(parseExpr("year(d)+a"), PARTITION_STYLE), "(YEAR(`d`)+`a`)");
  assert.equal(printExpr(parseExpr("a*2+b"), PARTITION_STYLE), "((`a`*2)+`b`)");
  assert.equal(printExpr(parseExpr("to_days(a) div 7"), PARTITION_STYLE), "(TO_DAYS(`a`) DIV 7)");
  assert.equal(printExpr(parseExpr("datediff(d,'x')"), PARTITION_STYLE), "DATEDIFF(`d`, _UTF8MB4'x')");
});

test("refuses what is no expression, with the place", () => {
  const place = (text: string): string => {
    try {
      parseExpr(text);
    } catch (error) {
      assert.ok(error instanceof LevinError);
      return `${error.code.split(":")[2]} ${error.fields["line"]}:${error.fields["column"]}`;
    }
    return "parsed";
  };
  assert.equal(place("a +"), "ErrSyntax 1:4");
  assert.equal(place("a\n  b"), "ErrSyntax 2:3");
  assert.equal(place("'abc"), "ErrSyntax 1:1");
  assert.equal(place("a /* "), "ErrSyntax 1:3");
  assert.equal(place("/*! a"), "ErrSyntax 1:6");
  assert.equal(place("select"), "ErrUnsupported 1:1");
  assert.equal(place("a in (select 1)"), "ErrUnsupported 1:7");
  assert.equal(place(`${"(".repeat(100000)}a`).startsWith("ErrSyntax"), true);
  assert.equal(place("not ".repeat(100000)).startsWith("ErrSyntax"), true);
  assert.equal(place("-".repeat(100000)).startsWith("ErrSyntax"), true);
  assert.equal(place(`a${" + a".repeat(20000)}`).startsWith("ErrSyntax"), true);
  assert.equal(place(`a${" or a".repeat(500)}`), "parsed");
});
