/**
 * Where an encoder puts the pairs of a row: record pairs go to one sink, index pairs to another. The callee copies the bytes
 * at once, so the caller may reuse both buffers. Key: `key[0, keyLength)`; value: `value[0, valueLength)`.
 */
export interface PairSink {
  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void;
}
