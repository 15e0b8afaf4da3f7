/** Digests and ciphers (TiDB `pkg/expression/builtin_encryption.go`, `builtin_miscellaneous.go`). */
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { toHex, utf8 } from "../../../base/mod.ts";
import { crc32 as crc32Of } from "../../../codec/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { MAX_ALLOWED_PACKET } from "../context.ts";
import { lift1, lift2, type Node } from "../node.ts";
import { sm3 } from "../sm3.ts";

function digest(algorithm: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest());
}

function sm3Of(call: Call): Node {
  const [text] = call.cast("string", "string");
  return call.string(
    lift1(text.eval, (v) => utf8(toHex(sm3(v)))),
    { Flen: 40 },
  );
}

function hashed(algorithm: string): (call: Call) => Node {
  return (call) => {
    const [text] = call.cast("string", "string");
    const flen = digest(algorithm, new Uint8Array(0)).length * 2;
    return call.string(
      lift1(text.eval, (v) => utf8(toHex(digest(algorithm, v)))),
      { Flen: flen },
    );
  };
}

const SHA2: Record<string, string> = { 0: "sha256", 224: "sha224", 256: "sha256", 384: "sha384", 512: "sha512" };

function sha2(call: Call): Node {
  const [text, size] = call.cast("string", "string", "int");
  return call.string(
    lift2(text.eval, size.eval, (v, n) => {
      const algorithm = SHA2[String(n)];
      return algorithm === undefined ? null : utf8(toHex(digest(algorithm, v)));
    }),
    { Flen: 128 },
  );
}

function crc32(call: Call): Node {
  const [text] = call.cast("int", "string");
  return call.uint(
    lift1(text.eval, (v) => BigInt(crc32Of(v) >>> 0)),
    { Flen: 10 },
  );
}

/** The key folded to 16 bytes, as MySQL does for aes-128-ecb, TiDB's `block_encryption_mode`. */
function foldKey(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(16);
  for (let i = 0; i < key.length; i++) out[i % 16]! ^= key[i]!;
  return out;
}

/** What ECB has no use for. */
function withoutVector(call: Call): void {
  if (call.args.length < 3) return;
  call.ctx.warn(1618, "<IV> option ignored");
  call.args = call.args.slice(0, 2);
}

function aesEncrypt(call: Call): Node {
  withoutVector(call);
  const [text, key] = call.cast("string", "string", "string");
  return call.bytes(
    lift2(text.eval, key.eval, (v, k) => {
      const cipher = createCipheriv("aes-128-ecb", foldKey(k), null);
      return new Uint8Array(Buffer.concat([cipher.update(v), cipher.final()]));
    }),
    text.type.Flen < 0 ? -1 : 16 * (Math.floor(text.type.Flen / 16) + 1),
  );
}

function aesDecrypt(call: Call): Node {
  withoutVector(call);
  const [text, key] = call.cast("string", "string", "string");
  return call.bytes(
    lift2(text.eval, key.eval, (v, k) => {
      const cipher = createDecipheriv("aes-128-ecb", foldKey(k), null);
      try {
        return new Uint8Array(Buffer.concat([cipher.update(v), cipher.final()]));
      } catch {
        return null;
      }
    }),
    text.type.Flen,
  );
}

/** MySQL's old PASSWORD(). */
function password(call: Call): Node {
  const [text] = call.cast("string", "string");
  return call.string(
    (row) => {
      const v = text.eval(row);
      if (v === null || v.length === 0) return new Uint8Array(0);
      return utf8(`*${toHex(digest("sha1", digest("sha1", v))).toUpperCase()}`);
    },
    { Flen: 41 },
  );
}

/** Four bytes of length, then zlib; NULL with a warning for what is none. */
function uncompress(call: Call): Node {
  const [text] = call.cast("string", "string");
  const { ctx } = call;
  const bad = (): null => {
    ctx.warn(1259, "ZLIB: Input data corrupted");
    return null;
  };
  return call.bytes(
    lift1(text.eval, (v) => {
      if (v.length === 0) return v;
      if (v.length <= 4) return bad();
      const size = new DataView(v.buffer, v.byteOffset).getUint32(0, true);
      try {
        const out = new Uint8Array(inflateSync(v.subarray(4), { maxOutputLength: MAX_ALLOWED_PACKET }));
        return out.length > size ? bad() : out;
      } catch {
        return bad();
      }
    }),
    16777216,
  );
}

function uncompressedLength(call: Call): Node {
  const [text] = call.cast("int", "string");
  const { ctx } = call;
  return call.int(
    lift1(text.eval, (v) => {
      if (v.length === 0) return 0n;
      if (v.length > 4) return BigInt(new DataView(v.buffer, v.byteOffset).getUint32(0, true));
      ctx.warn(1259, "ZLIB: Input data corrupted");
      return 0n;
    }),
    { Flen: 10 },
  );
}

export const digests: FunctionTable = {
  md5: fn(hashed("md5"), 1),
  sha: fn(hashed("sha1"), 1),
  sha1: fn(hashed("sha1"), 1),
  sha2: fn(sha2, 2),
  sm3: fn(sm3Of, 1),
  crc32: fn(crc32, 1),
  aes_encrypt: fn(aesEncrypt, 2, 3),
  aes_decrypt: fn(aesDecrypt, 2, 3),
  password: fn(password, 1),
  uncompress: fn(uncompress, 1),
  uncompressed_length: fn(uncompressedLength, 1),
};
