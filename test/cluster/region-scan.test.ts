import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, seededRandom, textOf, utf8 } from "../../src/base/mod.ts";
import { type KeyRange, type Region, scanRegions } from "../../src/cluster/mod.ts";
import { VirtualClock } from "./virtual-clock.ts";

const clock = new VirtualClock();
const peer = { id: 2n, storeId: 3n, role: "voter" } as const;

function region(start: string, end: string, leader: Region["leader"] = peer): Region {
  return { id: 1n, start: utf8(start), end: utf8(end), epoch: { confVer: 1n, version: 1n }, peers: [peer], leader };
}

/** A PD that answers with these lists in turn, the last one again and again. */
function playedPd(answers: Region[][]) {
  const asked: string[] = [];
  return {
    asked,
    pd: {
      async scanRegions(range: KeyRange): Promise<Region[]> {
        asked.push(`${textOf(range.start)}-${textOf(range.end)}`);
        return (answers.length > 1 ? answers.shift() : answers[0])!;
      },
    },
  };
}

const names = (regions: Region[]) => regions.map((r) => `${textOf(r.start)}-${textOf(r.end)}`);

async function scan(start: string, end: string, pd: { scanRegions(range: KeyRange): Promise<Region[]> }) {
  return await scanRegions({ start: utf8(start), end: utf8(end) }, { clock, random: seededRandom(1), pd });
}

test("scanRegions joins pages until the end of the range", async () => {
  const { pd, asked } = playedPd([[region("", "c"), region("c", "f")], [region("f", "m")], [region("m", "")]]);
  assert.deepEqual(names(await scan("b", "x", pd)), ["-c", "c-f", "f-m", "m-"]);
  assert.deepEqual(asked, ["b-x", "f-x", "m-x"]);
});

test("scanRegions asks again over a hole, behind what is whole already", async () => {
  const { pd, asked } = playedPd([[region("", "c"), region("f", "")], [], [region("c", "f"), region("f", "")]]);
  assert.deepEqual(names(await scan("b", "x", pd)), ["-c", "c-f", "f-"]);
  assert.deepEqual(asked, ["b-x", "c-x", "c-x"]);
});

test("scanRegions waits for a leader", async () => {
  const { pd } = playedPd([[region("", "", undefined)], [region("", "")]]);
  const leaderless = { ...region("", ""), leader: undefined };
  const played = playedPd([[leaderless], [region("", "")]]);
  assert.equal((await scan("b", "x", played.pd))[0]!.leader, peer);
  assert.equal((await scan("b", "x", pd))[0]!.leader, peer);
});

test("scanRegions gives up and says what is missing", async () => {
  const fails = async (answers: Region[][], text: RegExp) => {
    await assert.rejects(scan("b", "x", playedPd(answers).pd), (error) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:Cluster:ErrRegions");
      assert.match(error.message, text);
      return true;
    });
  };
  await fails([[]], /names no region at key 62/);
  await fails([[{ ...region("", ""), leader: undefined }]], /region 1 has no leader/);
  await fails([[region("c", "")]], /no region at key 62, the next one is 1/);
  // A region that ends before the key asked for must not be taken for progress.
  await fails([[region("", "a")]], /no region at key 62/);
});

test("scanRegions of an endless range ends at the last region", async () => {
  const { pd } = playedPd([[region("", "c"), region("c", "")]]);
  assert.deepEqual(names(await scan("a", "", pd)), ["-c", "c-"]);
});
