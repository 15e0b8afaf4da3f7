const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Length of the valid UTF-8 sequence that begins at `at`, 0 where there is none (overlong forms and surrogates are none). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + size > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < size; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  }
  return size;
}

/** Text of bytes; each byte that belongs to no valid sequence becomes `mark` (Go's rule: one mark a byte). */
export function lossyText(bytes: Uint8Array, mark = "\ufffd"): string {
  try {
    return strict.decode(bytes);
  } catch {
    let text = "";
    let from = 0;
    for (let at = 0; at < bytes.length; ) {
      const size = sequenceLength(bytes, at);
      if (size > 0) {
        at += size;
        continue;
      }
      text += strict.decode(bytes.subarray(from, at)) + mark;
      from = ++at;
    }
    return text + strict.decode(bytes.subarray(from));
  }
}
