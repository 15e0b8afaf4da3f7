/** Imports into an embedded cluster in this process while it is shaken: what is left must be exactly the pairs of the source. */
import assert from "node:assert/strict";
import { type Clock, compareBytes, LevinError, type Random, seededRandom } from "../../src/base/mod.ts";
import { encodeKey, successorKey } from "../../src/cluster/mod.ts";
import type { Cluster } from "../../src/embed/mod.ts";
import {
  checksumTable,
  ingestRanges,
  innerBorders,
  type PlannedRange,
  scatterRegions,
  splitRegions,
} from "../../src/ingest/mod.ts";
import { type Call, lost } from "./faults.ts";
import { ArraySource, checksumOf, recordKey, records } from "./pairs.ts";
import { openCluster } from "./test-cluster.ts";

/** Chances that one thing goes wrong at one call. */
export interface Chances {
  /** The request is lost, or its answer. */
  readonly lose: number;
  readonly loseAnswer: number;
  /** A stream breaks at one of its messages. */
  readonly breakStream: number;
  /** A call takes so long that deadlines pass. */
  readonly delay: number;
  readonly moveLeader: number;
  readonly movePeer: number;
  readonly split: number;
  readonly merge: number;
  /** Imports are suspended for some seconds. */
  readonly suspend: number;
  /** A store goes down for some seconds. */
  readonly down: number;
  /** The importer dies and starts again with the ranges that it had not finished. */
  readonly crash: number;
}

export interface ChaosReport {
  /** How often each thing happened. */
  readonly happened: Record<keyof Chances, number>;
  readonly runs: number;
}

const table = 80;
const pairCount = 600;

export async function shake(seed: number, chances: Chances): Promise<ChaosReport> {
  const random = seededRandom(seed + 1);
  await using test = await openCluster({ random, stores: 4, faultyPd: true });
  const { cluster, clock, pd, tikv, network, harms } = test;
  const chaos = new Chaos(cluster, clock, seededRandom(seed), chances);
  network.fault = chaos;
  const source = new ArraySource(records(table, 0, pairCount), 25);
  const whole = { start: recordKey(table, 0), end: successorKey(source.pairs.at(-1)!.key) };
  let todo: PlannedRange[] = source.cut(whole, { bytesMax: 1 << 30, pairsMax: 120 });
  const commitTs = await pd.timestamp();
  let runs = 0;
  for (; todo.length > 0; runs++) {
    assert.ok(runs < 30, `seed ${seed}: the import does not come to an end`);
    const crash = new AbortController();
    chaos.onCrash = () => crash.abort(new LevinError("Levin:Command:ErrInterrupted", "crash"));
    try {
      const { signal } = crash;
      const made = await splitRegions(innerBorders(todo), { clock, random, pd, tikv, signal });
      const ids = made.map((region) => region.id);
      await scatterRegions(ids, { clock, random, pd, group: "t", signal });
      const onRangeDone = (done: PlannedRange) => {
        todo = todo.filter((range) => range !== done);
      };
      const ranges = [...todo];
      await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs, signal, onRangeDone });
    } catch (thrown) {
      if (!crash.signal.aborted) throw thrown;
    }
  }
  const range = { name: "records", start: recordKey(table, 0), end: recordKey(table + 1, 0) };
  const sum = await checksumTable({ clock, random, pd, tikv, ranges: [range], snapshot: await pd.timestamp() });
  const found = { crc64xor: sum.crc64xor, kvs: sum.kvs, bytes: sum.bytes };
  assert.deepEqual(found, checksumOf(source.pairs), `seed ${seed}`);
  assert.deepEqual(harms, [], `seed ${seed}`);
  return { happened: chaos.happened, runs };
}

class Chaos {
  readonly happened: Record<keyof Chances, number> = {
    lose: 0,
    loseAnswer: 0,
    breakStream: 0,
    delay: 0,
    moveLeader: 0,
    movePeer: 0,
    split: 0,
    merge: 0,
    suspend: 0,
    down: 0,
    crash: 0,
  };
  onCrash: () => void = () => undefined;
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #dice: Random;
  readonly #chances: Chances;
  #left = 60;

  constructor(cluster: Cluster, clock: Clock, dice: Random, chances: Chances) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#dice = dice;
    this.#chances = chances;
  }

  async before(call: Call): Promise<void> {
    const store = [...this.#cluster.stores.values()].find((candidate) => candidate.address === call.address);
    if (this.#rolls("delay")) await this.#clock.sleep(20_000 * this.#dice.next());
    if (this.#rolls("lose")) throw lost(call);
    await this.#shakeRegions();
    if (store !== undefined && this.#rolls("suspend")) {
      store.suspendedUntilMs = this.#clock.nowMs() + 5_000 * this.#dice.next();
    }
    if (store !== undefined && this.#rolls("down")) {
      store.down = true;
      await this.#cluster.placement.electWithout(store.id);
      void this.#clock.sleep(10_000 * this.#dice.next()).then(() => {
        store.down = false;
      });
    }
    if (this.#rolls("crash")) this.onCrash();
  }

  after(call: Call): void {
    if (this.#rolls("loseAnswer")) throw lost(call);
  }

  message(call: Call): void {
    if (this.#rolls("breakStream")) throw lost(call);
  }

  async #shakeRegions(): Promise<void> {
    const { placement, regions } = this.#cluster;
    const key = recordKey(table, Math.floor(this.#dice.next() * pairCount));
    const encoded = encodeKey(key);
    const region = regions.at(encoded)!;
    const peer = region.peers[Math.floor(this.#dice.next() * region.peers.length)]!;
    if (this.#rolls("moveLeader")) await placement.transferLeader(region, peer.storeId);
    if (this.#rolls("movePeer")) {
      const taken = new Set(region.peers.map((other) => other.storeId));
      const free = [...this.#cluster.stores.keys()].find((id) => !taken.has(id));
      if (free !== undefined) await placement.movePeer(region, peer.storeId, free);
    }
    if (this.#rolls("split") && compareBytes(encoded, region.startKey) > 0) await placement.split(region, [encoded]);
    if (this.#rolls("merge")) await placement.mergeRight(region);
  }

  /** Peace comes in the end, or no import could. */
  #rolls(what: keyof Chances): boolean {
    if (this.#left <= 0 || this.#dice.next() >= this.#chances[what]) return false;
    this.#left--;
    this.happened[what]++;
    return true;
  }
}
