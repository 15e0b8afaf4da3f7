import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NumberedChunk } from "../../../src/importer/chunk-stream.ts";
import { ChunkQueue } from "../../../src/importer/logical/chunk-queue.ts";

function chunk(id: number, table: string, plain?: Uint8Array<ArrayBuffer>): NumberedChunk {
  return { id, chunk: { database: "d", table, plain } as NumberedChunk["chunk"] };
}

function queueOf(chunks: NumberedChunk[]): { queue: ChunkQueue; given: () => number } {
  let given = 0;
  const next = async () => chunks[given++];
  return { queue: new ChunkQueue({ next }, (table) => table.startsWith("d.o")), given: () => given };
}

/** Whether it is still under way after all that can go on has gone on. */
async function isPending(work: Promise<unknown>): Promise<boolean> {
  const settled = Symbol();
  return (await Promise.race([work.then(() => settled), new Promise((resolve) => setTimeout(resolve, 5))])) !== settled;
}

describe("chunks of a batch for several lanes", () => {
  test("those of a table where the order decides come one after the other, others side by side", async () => {
    const { queue } = queueOf([chunk(0, "o"), chunk(1, "o"), chunk(2, "t"), chunk(3, "o"), chunk(4, "t")]);
    const first = await queue.next();
    const second = await queue.next();
    const third = await queue.next();
    assert.deepEqual([first?.id, second?.id, third?.id], [0, 2, 4]);
    assert.equal(await queue.next(second), undefined);
    const followers: number[] = [];
    for (let one = await queue.next(first); one !== undefined; one = await queue.next(one)) followers.push(one.id);
    assert.deepEqual(followers, [1, 3]);
  });

  test("a lane that holds the bytes of a chunk for another one fetches no further chunk", async () => {
    const bytes = new Uint8Array(1);
    const { queue, given } = queueOf([chunk(0, "o", bytes), chunk(1, "o", bytes), chunk(2, "o", bytes), chunk(3, "t")]);
    const first = await queue.next();
    const other = queue.next();
    assert.ok(await isPending(other));
    assert.equal(given(), 2);
    assert.equal((await queue.next(first))?.id, 1);
    assert.ok(await isPending(other));
    assert.equal(given(), 3);
    queue.stop();
    assert.equal(await other, undefined);
  });
});
