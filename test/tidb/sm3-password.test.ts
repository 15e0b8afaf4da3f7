import assert from "node:assert/strict";
import { test } from "node:test";
import { sm3Password } from "../../src/tidb/sm3-password.ts";

test("tidb_sm3_password: nothing that could be checked, then the password when it is asked for", () => {
  const answer = sm3Password("secret", true);
  assert.deepEqual(answer(new Uint8Array(20)), new Uint8Array(32));
  assert.deepEqual(answer(Uint8Array.of(4)), new TextEncoder().encode("secret\0"));
  assert.equal(answer(Uint8Array.of(3)), null);
});

test("tidb_sm3_password: never without TLS", () => {
  assert.throws(() => sm3Password("secret", false), /need TLS/);
});
