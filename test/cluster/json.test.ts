import assert from "node:assert/strict";
import { test } from "node:test";
import { member, parseJson, sizeBytes } from "../../src/cluster/mod.ts";

test("parseJson keeps integers beyond 2^53 exact", () => {
  const json = parseJson(
    '{"id":7710426547964659752,"small":12,"float":1.5e300,"list":[18446744073709551615,-9223372036854775808]}',
  );
  assert.deepEqual(json, {
    id: 7710426547964659752n,
    small: 12,
    float: 1.5e300,
    list: [18446744073709551615n, -9223372036854775808n],
  });
});

test("member looks at own members of objects only", () => {
  assert.equal(member({ a: 1 }, "a"), 1);
  assert.equal(member({ a: 1 }, "toString"), undefined);
  assert.equal(member([1], "0"), undefined);
  assert.equal(member(null, "a"), undefined);
});

test("sizeBytes reads the sizes that PD writes for people", () => {
  assert.equal(sizeBytes("100GiB"), 100 * 1024 ** 3);
  assert.equal(sizeBytes("1.5TiB"), 1.5 * 1024 ** 4);
  assert.equal(sizeBytes("512B"), 512);
  assert.equal(sizeBytes("0B"), 0);
  assert.equal(sizeBytes("many"), undefined);
});
