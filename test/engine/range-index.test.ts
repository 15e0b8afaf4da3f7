import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, toHex } from "../../src/base/mod.ts";
import { nextKey, planRanges, type RangePoint } from "../../src/engine/mod.ts";
import { decodeRangeIndex, encodeRangeIndex } from "../../src/engine/range-index.ts";

const point = (key: number, bytes: number, pairs: number): RangePoint => ({ key: new Uint8Array([key]), bytes, pairs });

describe("range index", () => {
  test("has the layout of tikv.range_index", () => {
    const points = [point(1, 10, 1), { key: new Uint8Array(0), bytes: 2 ** 40, pairs: 2 ** 33 }];
    const encoded = encodeRangeIndex(points);
    assert.equal(
      toHex(encoded),
      "0000000101000000000000000a0000000000000001" + "0000000000000100000000000000000200000000",
    );
    assert.deepEqual(decodeRangeIndex(encoded), points);
    assert.throws(() => decodeRangeIndex(encoded.subarray(0, encoded.length - 1)), RangeError);
  });

  test("ranges are cut at points of the union of runs, by bytes or by keys", () => {
    const runs = [
      [point(1, 1, 1), point(3, 50, 5), point(7, 100, 10)],
      [point(2, 1, 1), point(5, 50, 5), point(9, 100, 10)],
    ];
    const end = new Uint8Array([9, 0]);
    const show = (options: object) =>
      planRanges(runs, end, options).map((r) => `${toHex(r.start)}-${toHex(r.end)} ${r.bytes}/${r.pairs}`);
    assert.deepEqual(show({}), ["01-0900 200/20"]);
    assert.deepEqual(show({ rangeBytes: 90 }), ["01-05 100/10", "05-0900 100/10"]);
    assert.deepEqual(show({ rangeKeys: 5 }), ["01-03 51/6", "03-07 99/9", "07-0900 50/5"]);
    assert.deepEqual(planRanges([], end), []);
  });

  test("a cut at the last key makes no range of its own", () => {
    const ranges = planRanges([[point(1, 1, 1), point(4, 100, 2)]], new Uint8Array([4, 0]), { rangeBytes: 100 });
    assert.equal(ranges.length, 1);
    assert.equal(toHex(ranges[0]!.end), "0400");
  });

  test("nextKey follows the handle in record keys and appends a zero elsewhere", () => {
    const record = (handle: string) => `74800000000000004d5f72${handle}`;
    const cases: [string, string][] = [
      ["", ""],
      [record("8000000000000001"), record("8000000000000002")],
      [record("80000000000000ff"), record("8000000000000100")],
      [record("7fffffffffffffff"), record("8000000000000000")],
      [record("ffffffffffffffff"), "74800000000000004e"],
      [record("0380000000000000ff01"), `${record("0380000000000000ff01")}00`],
      ["74800000000000004d5f69800000000000000103", "74800000000000004d5f6980000000000000010300"],
      ["74800000000000004d5f698000000000000001", "74800000000000004d5f69800000000000000100"],
    ];
    for (const [key, want] of cases) assert.equal(toHex(nextKey(fromHex(key))), want, key);
  });
});
