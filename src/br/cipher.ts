import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { fromHex, LevinError } from "../base/mod.ts";

/** Encryption methods by their number in `encryptionpb.EncryptionMethod`. */
export const cipherMethods = ["UNKNOWN", "PLAINTEXT", "AES128_CTR", "AES192_CTR", "AES256_CTR", "SM4_CTR"] as const;
export type CipherMethod = (typeof cipherMethods)[number];

/** Method and key of a checkpoint's data. No cipher at all and PLAINTEXT are the same. */
export interface BrCipher {
  method: CipherMethod;
  /** 16, 24 or 32 bytes; the length decides the AES variant, whatever the method says. */
  key: Uint8Array;
}

const IV_SIZE = 16;

export function isEncrypting(cipher: BrCipher | undefined): cipher is BrCipher {
  return cipher !== undefined && cipher.method !== "PLAINTEXT";
}

/** Refuses what no data can be read or written with: SM4, UNKNOWN, a key of another length. */
export function checkCipher(cipher: BrCipher | undefined): void {
  if (!isEncrypting(cipher)) return;
  if (!/^AES/.test(cipher.method)) {
    throw new LevinError(
      "Levin:Br:ErrCipher",
      `cipher type invalid ${cipher.method}: [BR:Common:ErrInvalidArgument]invalid argument`,
    );
  }
  const size = cipher.key.length;
  if (size !== 16 && size !== 24 && size !== 32) {
    throw new LevinError("Levin:Br:ErrCipher", `crypto/aes: invalid key size ${size}`);
  }
}

const algorithm = (key: Uint8Array): string => `aes-${key.length * 8}-ctr`;

/** Cipher text and the fresh IV; empty and unencrypted data pass with a null IV. */
export function encrypt(
  plain: Uint8Array,
  cipher: BrCipher | undefined,
  makeIv: () => Uint8Array = () => randomBytes(IV_SIZE),
): { data: Uint8Array; iv: Uint8Array | null } {
  if (plain.length === 0 || !isEncrypting(cipher)) return { data: plain, iv: null };
  checkCipher(cipher);
  const iv = makeIv();
  return { data: createCipheriv(algorithm(cipher.key), cipher.key, iv).update(plain), iv };
}

/** The plain text; undefined where the IV is missing or has another length, so that nothing can be decrypted. */
export function decrypt(data: Uint8Array, iv: Uint8Array | null, cipher: BrCipher | undefined): Uint8Array | undefined {
  if (data.length === 0 || !isEncrypting(cipher)) return data;
  checkCipher(cipher);
  if (iv === null || iv.length !== IV_SIZE) return undefined;
  return createDecipheriv(algorithm(cipher.key), cipher.key, iv).update(data);
}

/** `METHOD:HEXKEY` as on the command line: `plaintext`, `aes128-ctr:…`, `AES256_CTR:…`. */
export function parseCipher(text: string): BrCipher | undefined {
  const [, name, hex] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const method = cipherMethods.find((known) => known === name?.toUpperCase().replaceAll("-", "_"));
  if (method === undefined) {
    throw new LevinError(
      "Levin:Br:ErrCipher",
      `Cannot use --cipher: expected plaintext, aes128-ctr:HEXKEY, aes192-ctr:HEXKEY or aes256-ctr:HEXKEY, found method "${name}"`,
    );
  }
  if (method === "PLAINTEXT") return undefined;
  let key: Uint8Array;
  try {
    key = fromHex(hex ?? "");
  } catch (error) {
    throw new LevinError("Levin:Br:ErrCipher", `Cannot use --cipher: the key is not hex`, { cause: error });
  }
  if (![16, 24, 32].includes(key.length)) {
    throw new LevinError(
      "Levin:Br:ErrCipher",
      `Cannot use --cipher: a key has 32, 48 or 64 hex digits, found ${2 * key.length}`,
    );
  }
  return { method, key };
}
