import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../src/base/mod.ts";
import { decimalText } from "../../src/codec/mod.ts";
import { formatFixed, formatFloat, parseDecimal, roundToEven, textToInt } from "../../src/encoder/cast/mod.ts";
import { castText, newSession, STRICT } from "./cast-session.ts";

/** type, text, outside strict mode, in strict mode (the same if left out). */
type Row = [type: string, text: string, loose: string, strict?: string];

function check(rows: Row[]): void {
  for (const [type, text, loose, strict] of rows) {
    assert.equal(castText(type, text), loose, `${type} ${text}`);
    assert.equal(castText(type, text, STRICT), strict ?? loose, `${type} ${text} strict`);
  }
}

describe("numbers from text", () => {
  test("integers: prefix, rounding, exponents, limits", () => {
    check([
      ["int", "9.5", "10"],
      ["int", "-0.5", "-1"],
      ["int", "-9.5e0", "-10"],
      ["int", "99.5e-2", "1"],
      ["int", "5e-1", "1"],
      ["int", ".5", "1"],
      ["int", "-.4", "0"],
      ["int", "1e1.5", "10 W1292", "E1690"],
      ["int", "1.5x", "2 W1292", "E1690"],
      ["int", "\u00a07\u3000", "7"],
      ["int", "1e99999999999999999999", "2147483647 W1690", "E1690"],
      ["bigint", "9223372036854775807.4", "9223372036854775807"],
      ["bigint", "9223372036854775807.5", "9223372036854775807 W1690", "E1690"],
      ["bigint unsigned", "-0.4", "0"],
      ["bigint unsigned", "-0.5", "0 W1690", "E1690"],
      ["bigint unsigned", "-00", "0"],
      ["tinyint unsigned", "255.5", "255 W1690", "E1690"],
    ]);
  });

  test("what strict mode leaves of a prefix is not a number", () => {
    const { session } = newSession(STRICT);
    assert.equal(textToInt(session, utf8("1.5x")), 0n);
    assert.equal(session.take()?.code, 1690);
  });

  test("floats: (M,D), unsigned, beyond the range", () => {
    check([
      ["double", "1e400", "1.7976931348623157e308 W1292", "E1292"],
      ["double", "-1e400x", "-1.7976931348623157e308 W1292 W1292", "E1292"],
      ["float(5,2)", "999.995", "999.99 W1690", "E1690"],
      ["double(10,2)", "0.125", "0.12"],
      ["double(10,2)", "0.375", "0.38"],
      ["double unsigned", "-1", "0 W1690", "E1690"],
      ["float", "1e39", "3.40282e38 W1690", "E1690"],
      ["float", "0.1", "0.1"],
      ["float", "16777217", "16777216"],
    ]);
  });

  test("decimals: rounding, limits, lost digits", () => {
    check([
      ["decimal(5,2)", "999.994", "999.99 W1292"],
      ["decimal(5,2)", "999.995", "999.99 W1690", "E1690"],
      ["decimal(5,2)", "-0.005", "-0.01 W1292"],
      ["decimal(5,2)", "-0.004", "0.00 W1292"],
      ["decimal(5,2) unsigned", "-0.01", "0.00 W1690", "E1690"],
      ["decimal(5,2)", "1e2", "100.00"],
      ["decimal(5,2)", "12e-1x", "1.20 W1292", "E1292"],
      ["decimal(5,2)", "e5", "0.00 W1292", "E1292"],
      ["decimal(5,2)", "1e99999999999999999999", "0.00 W8029", "E8029"],
      ["decimal(65,30)", `${"0".repeat(90)}1`, "1.000000000000000000000000000000 W1690", "E1690"],
    ]);
  });

  test("a decimal holds 81 digits", () => {
    const parse = (text: string): string => {
      const { session } = newSession();
      const value = parseDecimal(session, utf8(text));
      return `${decimalText(value)} ${session.take()?.code ?? ""}`;
    };
    assert.equal(parse(`0.${"1".repeat(90)}`), `0.${"1".repeat(72)} 1265`);
    assert.equal(parse(`1e-${"1"}00`), "0 1265");
    assert.equal(parse("123.456e-70"), `0.${"0".repeat(67)}123456000 `.replace("000 ", " "));
    assert.equal(parse("1e80"), `1${"0".repeat(80)} `);
    assert.equal(parse("1e81"), `${"9".repeat(81)} 1690`);
  });
});

describe("floats as text", () => {
  test("without an exponent", () => {
    assert.equal(formatFixed(1e21), "1000000000000000000000");
    assert.equal(formatFixed(1e-7), "0.0000001");
    assert.equal(formatFixed(-123.456), "-123.456");
    assert.equal(formatFixed(Math.fround(0.1), 32), "0.1");
    assert.equal(formatFixed(-0), "-0");
  });

  test("as SELECT shows them", () => {
    assert.equal(formatFloat(1e15, 64), "1e15");
    assert.equal(formatFloat(999999999999999, 64), "999999999999999");
    assert.equal(formatFloat(1.5e-16, 64), "1.5e-16");
    assert.equal(formatFloat(1e-15, 64), "0.000000000000001");
    assert.equal(formatFloat(Math.fround(1.23456789e20), 32), "1.23457e20");
    assert.equal(formatFloat(Math.fround(1e20), 32), "1e20");
    assert.equal(formatFloat(Math.fround(1e15), 32), "1e15");
  });

  test("halves round to even", () => {
    assert.deepEqual([0.5, 1.5, 2.5, -0.5, -1.5, -2.5].map(roundToEven), [0, 2, 2, -0, -2, -2]);
    assert.deepEqual([0.49, -0.49, -0.51, 1e300].map(roundToEven), [0, -0, -1, 1e300]);
  });
});
