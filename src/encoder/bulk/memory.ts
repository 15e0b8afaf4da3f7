/** Where things lie in the memory of a bulk kernel. */

/** Source bytes that a kernel is given at a time, and room for what marks their end. */
export const INPUT_BYTES = 64 * 1024;
/** Pairs of a kind made at a time. */
export const PAIRS_MAX = 4096;
/** Bytes of pairs of a kind made at a time, the last row excluded. */
export const OUTPUT_BYTES = 160 * 1024;
/** Room for one more row: its texts are no longer than the input, other values and the keys take at most this. */
export const ROW_EXTRA_BYTES = 16 * 1024;
const OUTPUT_ROOM = OUTPUT_BYTES + INPUT_BYTES + ROW_EXTRA_BYTES;

/** Values of records that are shorter than this are xored before they go through a CRC. */
export const SUM_VALUES = 512;
/** Bytes of one xor: a key, a tag, a length, a value, and what a last word of eight bytes may be longer. */
export const RECORD_STRIDE = 560;
export const INDEX_STRIDE = 128;
/** Indexes of a table, each with two lengths of values. */
export const INDEXES_MAX = 64;

/** Results of a run, 4 bytes each, in the order of `Result`. */
export const RESULTS = 64;
export const Result = {
  position: 0,
  lastRow: 1,
  recordEnd: 2,
  recordCount: 3,
  recordBytes: 4,
  recordMax: 5,
  recordOrder: 6,
  indexEnd: 7,
  indexCount: 8,
  indexBytes: 9,
  indexMax: 10,
  indexOrder: 11,
  /** Largest value of an AUTO_INCREMENT column. */
  notedLow: 12,
  notedHigh: 13,
  /** Of the pairs that went through CRC one by one, since the last `drain`. */
  crcLow: 14,
  crcHigh: 15,
  crcPairs: 16,
  crcBytes: 17,
  /** The run ended at a row that is not plain, or not complete. */
  stopped: 18,
} as const;

export const CRC_TABLES = 1024;
/** Classes of bytes outside quotes and inside: 0 for text that goes on, 1 for tokens, 2 for what is not ASCII. */
export const OUTSIDE = CRC_TABLES + 8 * 256 * 8;
export const INSIDE = OUTSIDE + 256;
/** 1 for bytes that a NULL marker begins with. */
export const MARKER_BEGIN = INSIDE + 256;
export const INPUT = MARKER_BEGIN + 256;
export const RECORD_STARTS = INPUT + INPUT_BYTES + 256;
export const INDEX_STARTS = RECORD_STARTS + 4 * PAIRS_MAX;
export const RECORD_OUT = INDEX_STARTS + 4 * PAIRS_MAX;
export const INDEX_OUT = RECORD_OUT + OUTPUT_ROOM;
/** Pairs in each xor. */
export const RECORD_COUNTS = INDEX_OUT + OUTPUT_ROOM;
export const INDEX_COUNTS = RECORD_COUNTS + 4 * SUM_VALUES;
export const RECORD_SUMS = INDEX_COUNTS + 4 * 2 * INDEXES_MAX;
export const INDEX_SUMS = RECORD_SUMS + RECORD_STRIDE * SUM_VALUES;
const MEMORY_END = INDEX_SUMS + INDEX_STRIDE * 2 * INDEXES_MAX;

export const PAGES = Math.ceil(MEMORY_END / 65536);
