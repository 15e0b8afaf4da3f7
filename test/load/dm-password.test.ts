/** Passwords that dmctl has encrypted; the first two are of DM's own documentation. */
import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import { fromHex } from "../../src/base/mod.ts";
import { dmPassword, parseSecretKey } from "../../src/load/mod.ts";

/** As tiflow's encrypt package: CFB, of which every block is the counter mode's first. */
function encrypt(text: string, key: Uint8Array, iv: Uint8Array): string {
  const plain = Buffer.from(text);
  const secret = Buffer.alloc(plain.length);
  let last: Uint8Array = iv;
  for (let at = 0; at < plain.length; at += 16) {
    const block = createCipheriv("aes-128-ctr", key, last).update(plain.subarray(at, at + 16));
    block.copy(secret, at);
    last = block;
  }
  return Buffer.concat([iv, Buffer.from("@"), secret]).toString("base64");
}

test("the key of DM before 8.0", () => {
  const note = "the password of the target is encrypted; it was decrypted with the key of DM before 8.0";
  assert.deepEqual(dmPassword("MKxn0Qo3m3XOyjCnhEMtsUCm83EhGQDZ/T4=", undefined), { text: "abc!@#123", note });
  assert.deepEqual(dmPassword("VjX8cEeTX+qcvZ3bPaO4h0C80pe/1aU=", undefined), { text: "123456", note });
});

test("a key of one's own; text of several blocks", () => {
  const key = parseSecretKey(`${"0123456789ABCDEF".repeat(2)}\n`, "k");
  const text = "pässword of more than one block, yes";
  const given = encrypt(text, key, new Uint8Array(16).fill(7));
  assert.deepEqual(dmPassword(given, key), { text });
  assert.throws(() => dmPassword(given, fromHex("00".repeat(16))), /not with the key of --secret-key-path/);
  assert.throws(
    () => dmPassword(given, undefined),
    (error: Error & { code: string }) => {
      assert.equal(error.code, "Levin:Load:ErrConfig");
      assert.match(error.message, /name DM's key by --secret-key-path, or give the password by LEVIN_TIDB_PASSWORD/);
      return !error.message.includes(given);
    },
  );
  assert.throws(() => parseSecretKey("abc", "k"), /Cannot use the key in "k"/);
});

test("a plain password is itself", () => {
  for (const text of ["", "geheim", "a".repeat(24), "MKxn0Qo3m3XOyjCnhEMtsQ==", "with blank and @"])
    assert.deepEqual(dmPassword(text, undefined), { text });
});
