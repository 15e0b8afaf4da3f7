import { fromHex, textOf, toHex, utf8 } from "../../base/mod.ts";
import type { SealedBlock } from "./block-cutter.ts";

/** What is known of one block without reading it. */
export interface BlockMeta {
  /** Bytes of packed pairs before this block in its file, and its own. */
  offset: number;
  size: number;
  commitTs: bigint;
  first: Uint8Array;
  last: Uint8Array;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
  crc: number;
}

/**
 * What the stores have under one file name (uuid, region, epoch). The peers of a region get the same pairs, so the blocks are kept
 * once; each store has its own mark when its own stream was finished.
 */
export interface SstFile {
  readonly id: bigint;
  readonly name: string;
  readonly uuid: Uint8Array;
  readonly regionId: bigint;
  readonly confVer: bigint;
  readonly version: bigint;
  blocks: BlockMeta[];
  hasLongValue: boolean;
  /** Stores on which the file is finished, with what their stream held: number of blocks and a digest over them. */
  finished: Map<bigint, { blocks: number; digest: number }>;
  /** Column families that were ingested by single Ingest calls. */
  ingestedCfs: string[];
}

/** TiKV's name of a file without column family: `<uuid>_<region>_<conf_ver>_<version>`. */
export function sstName(uuid: Uint8Array, regionId: bigint, confVer: bigint, version: bigint): string {
  return `${toHex(uuid)}_${regionId}_${confVer}_${version}`;
}

/** What is kept of a block behind the others of its file. */
export function blockMeta(block: SealedBlock, before: BlockMeta | undefined): BlockMeta {
  const { commitTs, first, last, pairs, bytes, crc } = block;
  const offset = before === undefined ? 0 : before.offset + before.size;
  return { offset, size: block.data.length, commitTs, first, last, pairs, bytes, crc };
}

type BlockRecord = [
  offset: number,
  size: number,
  commitTs: string,
  first: string,
  last: string,
  pairs: number,
  bytes: number,
  crc: number,
];

export function blockRecords(blocks: readonly BlockMeta[]): BlockRecord[] {
  return blocks.map((b) => [
    b.offset,
    b.size,
    String(b.commitTs),
    toHex(b.first),
    toHex(b.last),
    b.pairs,
    b.bytes,
    b.crc,
  ]);
}

export function blocksOf(records: readonly BlockRecord[]): BlockMeta[] {
  return records.map(([offset, size, commitTs, first, last, pairs, bytes, crc]) => ({
    offset,
    size,
    commitTs: BigInt(commitTs),
    first: fromHex(first),
    last: fromHex(last),
    pairs,
    bytes,
    crc,
  }));
}

export function encodeFile(file: SstFile): Uint8Array {
  return utf8(
    JSON.stringify({
      id: String(file.id),
      name: file.name,
      uuid: toHex(file.uuid),
      region: [file.regionId, file.confVer, file.version].map(String),
      blocks: blockRecords(file.blocks),
      hasLongValue: file.hasLongValue,
      finished: [...file.finished].map(([store, mark]) => [String(store), mark.blocks, mark.digest]),
      ingestedCfs: file.ingestedCfs,
    }),
  );
}

export function decodeFile(bytes: Uint8Array): SstFile {
  const record = JSON.parse(textOf(bytes)) as {
    id: string;
    name: string;
    uuid: string;
    region: [string, string, string];
    blocks: BlockRecord[];
    hasLongValue: boolean;
    finished: [string, number, number][];
    ingestedCfs: string[];
  };
  return {
    id: BigInt(record.id),
    name: record.name,
    uuid: fromHex(record.uuid),
    regionId: BigInt(record.region[0]),
    confVer: BigInt(record.region[1]),
    version: BigInt(record.region[2]),
    blocks: blocksOf(record.blocks),
    hasLongValue: record.hasLongValue,
    finished: new Map(record.finished.map(([store, blocks, digest]) => [BigInt(store), { blocks, digest }])),
    ingestedCfs: record.ingestedCfs,
  };
}
