import { createCipheriv } from "node:crypto";
import { fromHex, LevinError } from "../base/mod.ts";

/**
 * Passwords as `dmctl encrypt` writes them (tiflow, dm/pkg/encrypt and dm/pkg/utils/encrypt.go): base64 of an initialisation vector of one
 * AES block, `@`, and the text under AES in CFB mode.
 */
const BLOCK = 16;
const SEPARATOR = 0x40;

/** The key inside every DM before 8.0; later ones have one of their own or none. */
const BUILT_IN_KEY = fromHex("a529b7665997f043a30ac8fadcb51d6aa032c226ab5b7750530b12b8c1a16a48");

export interface DmPassword {
  text: string;
  /** What the user should know. */
  note?: string;
}

/** The file of `secret-key-path` as DM has it: the key in hex, of 16, 24 or 32 bytes. */
export function parseSecretKey(text: string, path: string): Uint8Array {
  const hex = text.trim();
  if (/^(?:[0-9a-f]{32}|[0-9a-f]{48}|[0-9a-f]{64})$/i.test(hex)) return fromHex(hex);
  const message = `Cannot use the key in "${path}": it must be 32, 48 or 64 hex digits, as DM's secret-key-path has them`;
  throw new LevinError("Levin:Config:ErrInvalid", message, { fields: { file: path } });
}

/**
 * The password that a task file means: in plain, or encrypted, where it has DM's form. `key` is DM's own; without it the built-in key of
 * older DMs is tried. Throws `Levin:Load:ErrConfig` for one that is encrypted and does not become text.
 */
export function dmPassword(given: string, key: Uint8Array | undefined): DmPassword {
  const bytes = encrypted(given);
  if (bytes === undefined) return { text: given };
  const text = printable(decrypt(bytes, key ?? BUILT_IN_KEY));
  if (text !== undefined) {
    if (key !== undefined) return { text };
    return { text, note: "the password of the target is encrypted; it was decrypted with the key of DM before 8.0" };
  }
  const why =
    key === undefined
      ? "it is encrypted, and not with the key of DM before 8.0; name DM's key by --secret-key-path, or give the password by LEVIN_TIDB_PASSWORD"
      : "it is encrypted, and not with the key of --secret-key-path";
  throw new LevinError("Levin:Load:ErrConfig", `Cannot use the password of the target: ${why}`);
}

/** The bytes of one in DM's form. A plain password of 24 and more characters looks like it once in some hundred. */
function encrypted(given: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(given)) return undefined;
  const bytes = Buffer.from(given, "base64");
  return bytes.length > BLOCK && bytes[BLOCK] === SEPARATOR ? bytes : undefined;
}

/** CFB by blocks: what was encrypted last goes through AES again. Not every runtime has the mode by its name, all have counters. */
function decrypt(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const secret = bytes.subarray(BLOCK + 1);
  const out = new Uint8Array(secret.length);
  let last = bytes.subarray(0, BLOCK);
  for (let from = 0; from < secret.length; from += BLOCK) {
    const block = secret.subarray(from, from + BLOCK);
    const stream = createCipheriv(`aes-${key.length * 8}-ctr`, key, last).update(new Uint8Array(BLOCK));
    for (let i = 0; i < block.length; i++) out[from + i] = block[i]! ^ stream[i]!;
    last = block;
  }
  return out;
}

/** Undefined for bytes that are no text, as they come of a wrong key. */
function printable(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\x00-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
