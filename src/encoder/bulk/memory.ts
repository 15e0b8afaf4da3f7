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

/** Bytes of one xor: a key, a tag, a length, a value, and what a last word of eight bytes may be longer. */
export const SUM_STRIDE = 560;
/** Entries up to this size, from the key on, are xored with others of the same lengths. */
export const SUM_ENTRY = 536;
/** Xors of records and of index entries, one for a pair of lengths; a power of two. */
export const SUM_GROUPS = 1024;
/** Indexes of a table. */
export const INDEXES_MAX = 64;
/** Longest value of a record, and with it longest text; also longest key and longest value of an index entry. */
export const VALUE_MAX = 16_000;
/** Tags and lengths of an entry, at most. */
export const ENTRY_HEADS = 10;
/** Longest entry: its length, and those of its key and value, are written in two bytes, which say up to 16 383. */
export const PAIR_MAX = VALUE_MAX;
/** Index entries of one row. */
export const INDEX_ROW_BYTES = INPUT_BYTES + ROW_EXTRA_BYTES - 256;
/** Collations of a table that have weights. */
export const WEIGHTS_MAX = 4;
/** Weights of the ASCII characters, two bytes each, big-endian. */
export const WEIGHTS_BYTES = 256;
/** Stands where a character has no weight. */
export const NO_WEIGHT = 0xffff;

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
  /** The run ended at a row that is not plain, or not complete. */
  stopped: 14,
} as const;

/** Sums of the pairs that went through CRC one by one, since the last `drain`: CRC, bytes, number, 8 bytes each. */
export const RECORD_ALONE = 256;
export const INDEX_ALONE = RECORD_ALONE + 24;

export const CRC_TABLES = 1024;
/** Classes of bytes outside quotes and inside: 0 for text that goes on, 1 for tokens, 2 for what is not ASCII. */
export const OUTSIDE = CRC_TABLES + 8 * 256 * 8;
export const INSIDE = OUTSIDE + 256;
/** 1 for bytes that a NULL marker begins with. */
export const MARKER_BEGIN = INSIDE + 256;
/** 10 to the power of 0 to 22 as doubles. */
export const POWERS = MARKER_BEGIN + 256;
export const POWERS_MAX = 22;
export const WEIGHTS = POWERS + 8 * (POWERS_MAX + 1);
/** A sort key before it is cut into groups. */
export const SORT_KEY = WEIGHTS + WEIGHTS_BYTES * WEIGHTS_MAX;
/** The record key's end of a table with a clustered key, and values that are in that key only. */
export const HANDLE = SORT_KEY + 2 * VALUE_MAX + 64;
export const HANDLE_BYTES = 8000;
export const SIDE = HANDLE + HANDLE_BYTES + 64;
export const INPUT = SIDE + HANDLE_BYTES + 1024;
export const RECORD_STARTS = INPUT + INPUT_BYTES + 256;
export const INDEX_STARTS = RECORD_STARTS + 4 * PAIRS_MAX;
export const RECORD_OUT = INDEX_STARTS + 4 * PAIRS_MAX;
export const INDEX_OUT = RECORD_OUT + OUTPUT_ROOM;
/** Lengths of each group of records and index entries (the key's in the upper half; 0: none yet), and their number; then the xors. */
export const RECORD_GROUPS = INDEX_OUT + OUTPUT_ROOM;
export const SUMS_AT = 8 * SUM_GROUPS;
export const INDEX_GROUPS = RECORD_GROUPS + SUMS_AT + SUM_STRIDE * SUM_GROUPS;
const MEMORY_END = INDEX_GROUPS + SUMS_AT + SUM_STRIDE * SUM_GROUPS;

export const PAGES = Math.ceil(MEMORY_END / 65536);
