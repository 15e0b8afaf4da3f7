import { compareBytes, fromHex, textOf, toHex, utf8 } from "../../base/mod.ts";
import { type BlockMeta, blockRecords, blocksOf } from "./sst.ts";

/** Ingested pairs of one commit timestamp in ascending order: some neighbouring blocks of one file. */
export interface Run {
  readonly fileId: bigint;
  /** Number of the run within its file. */
  readonly segment: number;
  /** Number of its first block within the file. */
  readonly firstBlock: number;
  readonly commitTs: bigint;
  readonly blocks: readonly BlockMeta[];
  /** Key ranges [start, end) of raw keys that were destroyed afterwards; an empty end is the end of all keys. */
  holes: { start: Uint8Array; end: Uint8Array }[];
  /** Order of ingestion: of equal keys with equal timestamps the later one counts. */
  readonly order: number;
}

export function firstKey(run: Run): Uint8Array {
  return run.blocks[0]!.first;
}

export function lastKey(run: Run): Uint8Array {
  return run.blocks[run.blocks.length - 1]!.last;
}

/** Cuts a file's blocks where the commit timestamp changes, and where a key is repeated with a lower one. */
export function segmentsOf(blocks: readonly BlockMeta[]): { firstBlock: number; blocks: BlockMeta[] }[] {
  const out: { firstBlock: number; blocks: BlockMeta[] }[] = [];
  blocks.forEach((block, index) => {
    const open = out[out.length - 1];
    if (open !== undefined && open.blocks[0]!.commitTs === block.commitTs) open.blocks.push(block);
    else out.push({ firstBlock: index, blocks: [block] });
  });
  return out;
}

/** The ingested runs, found by key range. */
export class RunSet {
  /** By first key. */
  #sorted: Run[] = [];
  /** `#reach[i]`: the run with the highest last key among the first i + 1. */
  #reach: Run[] = [];

  all(): readonly Run[] {
    return this.#sorted;
  }

  add(runs: readonly Run[]): void {
    for (const run of runs) this.#sorted.splice(this.#firstBehind(firstKey(run)), 0, run);
    this.#reach = [];
  }

  remove(run: Run): void {
    this.#sorted.splice(this.#sorted.indexOf(run), 1);
    this.#reach = [];
  }

  /** Runs with a key in [start, end) of raw keys, by first key; `end` undefined = to the end. */
  overlapping(start: Uint8Array, end: Uint8Array | undefined): Run[] {
    this.#index();
    const out: Run[] = [];
    const behind = end === undefined ? this.#sorted.length : this.#firstNotBelow(end);
    for (let i = behind - 1; i >= 0; i--) {
      if (compareBytes(lastKey(this.#reach[i]!), start) < 0) break;
      if (compareBytes(lastKey(this.#sorted[i]!), start) >= 0) out.push(this.#sorted[i]!);
    }
    return out.reverse();
  }

  #index(): void {
    for (let i = this.#reach.length; i < this.#sorted.length; i++) {
      const run = this.#sorted[i]!;
      const before = this.#reach[i - 1];
      this.#reach.push(before === undefined || compareBytes(lastKey(run), lastKey(before)) > 0 ? run : before);
    }
  }

  #firstBehind(key: Uint8Array): number {
    return this.#search((run) => compareBytes(firstKey(run), key) <= 0);
  }

  #firstNotBelow(key: Uint8Array): number {
    return this.#search((run) => compareBytes(firstKey(run), key) < 0);
  }

  #search(below: (run: Run) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (below(this.#sorted[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function encodeRun(run: Run): Uint8Array {
  return utf8(
    JSON.stringify({
      fileId: String(run.fileId),
      segment: run.segment,
      firstBlock: run.firstBlock,
      blocks: blockRecords(run.blocks),
      holes: run.holes.map(({ start, end }) => [toHex(start), toHex(end)]),
      order: run.order,
    }),
  );
}

export function decodeRun(bytes: Uint8Array): Run {
  const record = JSON.parse(textOf(bytes)) as {
    fileId: string;
    segment: number;
    firstBlock: number;
    blocks: Parameters<typeof blocksOf>[0];
    holes: [string, string][];
    order: number;
  };
  const blocks = blocksOf(record.blocks);
  return {
    fileId: BigInt(record.fileId),
    segment: record.segment,
    firstBlock: record.firstBlock,
    commitTs: blocks[0]!.commitTs,
    blocks,
    holes: record.holes.map(([start, end]) => ({ start: fromHex(start), end: fromHex(end) })),
    order: record.order,
  };
}
