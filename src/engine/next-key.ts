/** `t` table id `_r` int handle. */
const RECORD_KEY_BYTES = 1 + 8 + 2 + 8;

/**
 * An exclusive end right behind `key` that is also a good region border: for the record key of an int handle the key of the next
 * handle (TiKV up to version 4 cut split keys to 19 bytes), behind the largest handle the next table's prefix; for every other key
 * `key` ‖ 00. The empty key stays empty. As `nextKey` of Lightning's local backend.
 */
export function nextKey(key: Uint8Array): Uint8Array {
  if (key.length === 0) return key;
  if (!isIntRecordKey(key)) {
    const out = new Uint8Array(key.length + 1);
    out.set(key);
    return out;
  }
  const out = key.slice();
  if (increment(out, 11, 19)) return out;
  const prefix = key.slice(0, 9);
  if (increment(prefix, 1, 9)) return prefix;
  const behind = new Uint8Array(key.length + 1);
  behind.set(key);
  return behind;
}

function isIntRecordKey(key: Uint8Array): boolean {
  return key.length === RECORD_KEY_BYTES && key[0] === 0x74 && key[9] === 0x5f && key[10] === 0x72;
}

/** Adds one to the big-endian number in `bytes[from, to)`; false when it was all ones. */
function increment(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = to - 1; i >= from; i--) {
    bytes[i] = (bytes[i]! + 1) & 0xff;
    if (bytes[i] !== 0) return true;
  }
  return false;
}
