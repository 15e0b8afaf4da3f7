import { Tp } from "../schema/mod.ts";

/** Bits of the integer types; others are not in it. */
export const INTEGER_BITS: ReadonlyMap<number, number> = new Map<number, number>([
  [Tp.tiny, 8],
  [Tp.short, 16],
  [Tp.int24, 24],
  [Tp.long, 32],
  [Tp.longlong, 64],
]);

/** TEXT, BLOB and their kind, whose length counts bytes. */
export const BLOB_TYPES: ReadonlySet<number> = new Set([Tp.tinyblob, Tp.blob, Tp.mediumblob, Tp.longblob]);
