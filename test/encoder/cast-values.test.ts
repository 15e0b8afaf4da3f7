import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex, utf8 } from "../../src/base/mod.ts";
import { type Datum, FieldKind } from "../../src/codec/mod.ts";
import {
  CastError,
  type CastSource,
  castDatum,
  castField,
  datumToText,
  defaultValue,
  timeDatum,
  zeroValue,
} from "../../src/encoder/cast/mod.ts";
import { type ColumnInfo, Tp } from "../../src/schema/mod.ts";
import { columnOf } from "./cast-columns.ts";
import { castText, newSession, STRICT } from "./cast-session.ts";

const time = (year: number, hour = 0): CastSource =>
  timeDatum({ year, month: 1, day: 2, hour, minute: 3, second: 4, micro: 600000 }, Tp.datetime, 1);
const duration: CastSource = { kind: "duration", nanos: 45_296_700_000_000n, fsp: 1 };
const json = (hex: string): CastSource => ({ kind: "json", value: Uint8Array.from(Buffer.from(hex, "hex")) });

function cast(source: CastSource, type: string, sqlMode = ""): string {
  const { session, warnings } = newSession(sqlMode);
  const to = columnOf(type).type;
  try {
    const text = datumToText(castDatum(session, source, to, "c", columnOf("enum('x','y')").type), to);
    return (text ?? "NULL") + warnings.map((code) => ` W${code}`).join("");
  } catch (error) {
    if (!(error instanceof CastError)) throw error;
    return `E${error.code}`;
  }
}

describe("casts between kinds", () => {
  test("dates, times and numbers", () => {
    assert.equal(cast(time(2020, 5), "bigint"), "20200102050305");
    assert.equal(cast(time(2020, 5), "bigint unsigned"), "20200102050305");
    assert.equal(cast(time(2020, 5), "decimal(20,3)"), "20200102050304.600");
    assert.equal(cast(time(2020, 5), "date"), "2020-01-02");
    assert.equal(cast(time(2020, 5), "time"), "05:03:05");
    assert.equal(cast(time(2020, 5), "varchar(30)"), "2020-01-02 05:03:04.6");
    assert.equal(cast(time(2020), "year"), "2020");
    assert.equal(cast(time(1960), "timestamp"), "0000-00-00 00:00:00 W1292");
    assert.equal(cast(duration, "int"), "123457");
    assert.equal(cast(duration, "double"), "123456.7");
    assert.equal(cast(duration, "datetime(1)"), "2025-02-06 12:34:56.7");
    assert.equal(cast(duration, "time"), "12:34:57");
  });

  test("ENUM, SET and BIT", () => {
    assert.equal(cast({ kind: "enum", value: 2n }, "varchar(5)"), "y");
    assert.equal(cast({ kind: "enum", value: 2n }, "int"), "2");
    assert.equal(cast({ kind: "enum", value: 2n }, "enum('z','y')"), "y");
    assert.equal(cast({ kind: "enum", value: 0n }, "enum('z','y')"), "");
    assert.equal(cast({ kind: "set", value: 3n }, "set('y','x')"), "y,x");
    assert.equal(cast({ kind: "bit", value: 300n }, "varchar(5)"), "300");
    assert.equal(cast({ kind: "bit", value: 300n }, "tinyint"), "127 W1690");
  });

  test("JSON", () => {
    assert.equal(cast(json("0b000000000000f83f"), "int"), "2");
    assert.equal(cast(json("0c053139783938"), "int"), "19 W1292");
    assert.equal(cast(json("0401"), "double"), "1");
    assert.equal(cast(json("0400"), "int", STRICT), "E1292");
    assert.equal(cast(json("0c0a323032302d30312d3032"), "date"), "2020-01-02");
    assert.equal(cast(json("0c0131"), "varchar(5)"), '"1"');
    assert.equal(cast({ kind: "decimal", value: { negative: false, unscaled: 15n, scale: 1 } }, "json"), "1.5");
    assert.equal(cast(duration, "json"), '"12:34:56.700000"');
    assert.equal(cast(time(2020, 5), "json"), '"2020-01-02 05:03:04.600000"');
  });

  test("there is no conversion, in no mode", () => {
    for (const mode of ["", STRICT]) {
      assert.equal(cast({ kind: "float", value: 1 }, "date", mode), "E0");
      assert.equal(cast({ kind: "uint", value: 20200102n }, "timestamp", mode), "E0");
      assert.equal(cast({ kind: "int", value: 1n }, "vector", mode), "E0");
      assert.equal(cast({ kind: "vector", value: new Uint8Array(4) }, "int", mode), "E0");
    }
  });
});

describe("character sets", () => {
  const bytes = (type: string, kind: number, source: number[]): string => {
    const column = columnOf(type);
    const { session } = newSession();
    const value = castField(kind, Uint8Array.from(source), 0, source.length, column, session);
    return value.kind === "bytes" ? toHex(value.value) : value.kind;
  };

  test("binary strings into gbk", () => {
    assert.equal(bytes("varchar(9) character set gbk", FieldKind.hex, [0x41, 0xd6, 0xd0]), "41e4b8ad");
    assert.equal(bytes("varchar(9) character set gbk", FieldKind.hex, [0xa2, 0xe3, 0xa3, 0xa0]), "e282ace38080");
    assert.equal(bytes("varchar(9) character set gbk", FieldKind.hex, [0x41, 0x80, 0x41]), "41");
    assert.equal(bytes("varchar(9) character set gbk", FieldKind.hex, [0x41, 0xd6]), "41");
  });

  test("TEXT is cut between characters, BINARY within", () => {
    assert.equal(castText("tinytext", "é".repeat(200)), `${"é".repeat(127)} W1406`);
    assert.equal(bytes("binary(3)", FieldKind.string, [0xc3, 0xa9, 0xc3, 0xa9]), "c3a9c3");
    assert.equal(bytes("binary(3)", FieldKind.string, [0x61]), "610000");
  });

  test("text cut within a character is compared with an ENUM only as far as needed", () => {
    const type = "enum('中','文') collate utf8mb4_general_ci";
    assert.throws(() => bytes(type, FieldKind.string, [0xe4, 0xb8]), CastError);
    assert.equal(bytes(type, FieldKind.string, [0x61, 0xe4, 0xb8]), "enum");
  });
});

describe("defaults", () => {
  const make = (type: string, change: Partial<ColumnInfo> = {}): ColumnInfo => ({ ...columnOf(type), ...change });
  const show = (column: ColumnInfo, sqlMode = "", zone = "UTC"): string => {
    const { session, warnings } = newSession(sqlMode, zone);
    try {
      const text = datumToText(defaultValue(session, column), column.type);
      return (text ?? "NULL") + warnings.map((code) => ` W${code}`).join("");
    } catch (error) {
      if (!(error instanceof CastError)) throw error;
      return `E${error.code}`;
    }
  };

  test("constants", () => {
    assert.equal(show(make("int", { default: "7" })), "7");
    assert.equal(show(make("decimal(5,2)", { default: "1.5" })), "1.50");
    assert.equal(show(make("int")), "NULL");
    assert.equal(show(make("bit(10)", { default_bit: "Aw==" })), "\u0000\u0003");
    assert.equal(show(make("datetime", { default: "2020-01-02 03:04:05" })), "2020-01-02 03:04:05");
  });

  test("none, and NULL not allowed", () => {
    assert.equal(show(make("int not null")), "0 W1364");
    assert.equal(show(make("int not null"), STRICT), "E1364");
    assert.equal(show(make("enum('x','y') not null"), STRICT), "x");
    assert.equal(show(make("char(3) character set binary not null")), "\u0000\u0000\u0000 W1364");
  });

  test("TIMESTAMP defaults are UTC; the current time is the statement's", () => {
    const constant = make("timestamp", { default: "2020-01-02 03:04:05" });
    assert.equal(show(constant, "", "+05:30"), "2020-01-02 08:34:05");
    assert.equal(show(make("timestamp", { default: "0000-00-00 00:00:00" }), "", "+05:30"), "0000-00-00 00:00:00");
    assert.equal(
      show(make("timestamp", { default: "2020-01-02 03:04:05", version: 0 }), "", "+05:30"),
      "2020-01-02 03:04:05",
    );
    assert.equal(show(make("date", { default: "0000-00-00" }), STRICT), "0000-00-00");
    assert.equal(show(make("date", { default: "2020-02-30" })), "E8038");
    assert.equal(show(make("timestamp", { default: "CURRENT_TIMESTAMP" }), "", "+01:00"), "2025-02-06 08:08:09");
    assert.equal(show(make("datetime(3)", { default: "CURRENT_TIMESTAMP" })), "2025-02-06 07:08:09.500");
    assert.equal(show(make("date", { default: "CURRENT_TIMESTAMP" })), "2025-02-06");
  });

  test("zero values are of the column's kind", () => {
    const kinds: Record<string, Datum["kind"]> = {
      int: "int",
      "int unsigned": "uint",
      year: "int",
      float: "float",
      "decimal(5,2)": "decimal",
      "char(3)": "bytes",
      blob: "bytes",
      time: "duration",
      timestamp: "time",
      "bit(3)": "bit",
      "set('a')": "set",
      "enum('a')": "enum",
      json: "json",
    };
    for (const [type, kind] of Object.entries(kinds)) assert.equal(zeroValue(columnOf(type)).kind, kind, type);
  });
});

test("messages name the column or quote the value", () => {
  const message = (type: string, text: string): string => {
    const { session } = newSession(STRICT);
    const bytes = utf8(text);
    try {
      castField(FieldKind.string, bytes, 0, bytes.length, columnOf(type), session);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.equal(message("enum('x')", "y"), "Data truncated for column 'c'");
  assert.equal(message("year", "2156"), "Out of range value for column 'c'");
  assert.equal(message("tinyint", "300"), "constant 300 overflows tinyint");
  assert.equal(message("decimal(5,2)", "1e99"), "DECIMAL value is out of range in '1e99'");
  assert.equal(message("decimal(5,2)", "1x"), "Truncated incorrect decimal(5,2) value: '1x'");
  assert.equal(message("date", "2020-13-01"), "Incorrect date value: '2020-13-01'");
  assert.equal(message("varchar(2)", "abc"), "Data Too Long, field len 2, data len 3");
  assert.equal(message("varchar(2) character set ascii", "é"), "Incorrect string value '\\xC3\\xA9' for column 'c'");
  assert.equal(message("int not null", "x"), "Truncated incorrect DOUBLE value: 'x'");
});

test("the value owns its bytes", () => {
  const { session } = newSession();
  const buffer = utf8("xxabcxx");
  const value = castField(FieldKind.string, buffer, 2, 5, columnOf("varchar(9)"), session);
  buffer.fill(0);
  assert.equal(datumToText(value, columnOf("varchar(9)").type), "abc");
});
