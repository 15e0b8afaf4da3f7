import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { StoreSchema } from "../../gen/metapb_pb.ts";
import { fromHex, seededRandom, utf8 } from "../../src/base/mod.ts";
import { Cluster, type ClusterOptions, encodeKey, type Region } from "../../src/embed/state/mod.ts";
import { encodeRegion } from "../../src/embed/state/region-codec.ts";
import { be64, tableKey } from "../../src/embed/state/tables.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { TestClock } from "./support.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** The captured answers of one folder by file name. */
export function goldenCases(folder: "tikv" | "pd" | "pd-grpc"): Map<string, JsonObject> {
  const text = gunzipSync(readFileSync(new URL(`../golden/embed/${folder}.jsonl.gz`, import.meta.url))).toString();
  const lines = text.trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const { name, ...rest } = JSON.parse(line) as JsonObject;
      return [name as string, rest];
    }),
  );
}

interface RegionSeed {
  id: bigint;
  /** Hex of the raw key; "" = the beginning or the end. */
  start: string;
  end: string;
  confVer: bigint;
  version: bigint;
  /** [peer, store], the leader first unless `leader` says another. */
  peers: [bigint, bigint][];
  leader?: bigint;
}

function seeded(seed: RegionSeed): Region {
  const border = (hex: string) => (hex === "" ? new Uint8Array(0) : encodeKey(fromHex(hex)));
  return {
    id: seed.id,
    startKey: border(seed.start),
    endKey: border(seed.end),
    confVer: seed.confVer,
    version: seed.version,
    peers: seed.peers.map(([id, storeId]) => ({ id, storeId, learner: false })),
    leader: seed.leader ?? seed.peers[0]![0],
  };
}

/** A cluster with given ids, as the one that was asked. The clock stands at `nowMs`; timestamps of the hour before are its own. */
export async function seededCluster(
  nowMs: number,
  stores: readonly bigint[],
  regions: readonly RegionSeed[],
  options: Partial<ClusterOptions> & { id?: bigint; nextId?: bigint } = {},
): Promise<{ cluster: Cluster; clock: TestClock; harms: string[] }> {
  const db = memoryKvDb();
  const fact = (name: string, value: unknown) => ({
    key: tableKey("c", utf8(name)),
    value: utf8(JSON.stringify(value)),
  });
  const created = BigInt(nowMs - 3_600_000) << 18n;
  await db.batch([
    fact("cluster", { id: String(options.id ?? 7_710_440_099_476_207_204n), createdTs: String(created) }),
    fact("ids", String((options.nextId ?? 100_001n) - 1n)),
    ...stores.map((id) => ({
      key: tableKey("s", be64(id)),
      value: toBinary(StoreSchema, create(StoreSchema, { id })),
    })),
    ...regions.map((region) => ({ key: tableKey("r", be64(region.id)), value: encodeRegion(seeded(region)) })),
  ]);
  const clock = new TestClock(nowMs);
  const harms: string[] = [];
  const onHarm = (text: string) => void harms.push(text);
  const cluster = await Cluster.open(db, { clock, random: seededRandom(1), onHarm, ...options });
  await cluster.tso.next();
  return { cluster, clock, harms };
}

/** Removes what differs from run to run: timings of a request. */
export function withoutTimes(answer: Json): Json {
  if (answer === null || typeof answer !== "object" || Array.isArray(answer)) return answer;
  const { execDetailsV2: _, ...rest } = answer;
  return rest;
}
