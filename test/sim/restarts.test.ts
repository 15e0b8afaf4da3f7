import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Harm, StepKind } from "./life.ts";
import { simulate } from "./simulate.ts";
import type { Place } from "./world.ts";

/** What happens to the cluster right before the first step that matches. */
interface Case {
  name: string;
  at: (kind: StepKind, what: string) => boolean;
  act: (place: Place) => void;
}

const pdCount = (place: Place): number => place.cluster.pdState.members.length;
const moveLeader = (place: Place): void => {
  const { members, leadership } = place.cluster.pdState;
  const next = members.findIndex((member) => member !== leadership.leader) % members.length;
  leadership.moveTo(members[Math.max(0, next)]!);
};
const restartPd = (place: Place): void => {
  for (let i = 0; i < pdCount(place); i++) place.cluster.takeDown(`pd-${i}:2379`, 20_000);
};
const restartTidb = (place: Place): void => place.cluster.takeDown("tidb", 30_000);
const rpc = (name: string) => (kind: StepKind, what: string) => kind === "rpc" && what === name;
const sql = (begin: string) => (kind: StepKind, what: string) => kind === "sql" && what.startsWith(begin);

const cases: Case[] = [
  { name: "TiDB restarts in the middle of DDL", at: sql("CREATE TABLE"), act: restartTidb },
  { name: "TiDB restarts before the schema is read back", at: (kind) => kind === "status-port", act: restartTidb },
  { name: "TiDB restarts in the middle of ANALYZE", at: sql("ANALYZE"), act: restartTidb },
  { name: "TiDB restarts while allocators are read", at: sql("SHOW TABLE"), act: restartTidb },
  { name: "all of PD restarts before the commit timestamp", at: rpc("Tso"), act: restartPd },
  { name: "all of PD restarts in the middle of a split", at: rpc("SplitRegion"), act: restartPd },
  { name: "all of PD restarts in the middle of a checksum", at: rpc("Coprocessor"), act: restartPd },
  { name: "all of PD restarts while a write is under way", at: (kind) => kind === "message", act: restartPd },
  { name: "PD's leader moves before the commit timestamp", at: rpc("Tso"), act: moveLeader },
  { name: "PD's leader moves while regions are looked up", at: rpc("BatchScanRegions"), act: moveLeader },
  { name: "PD's leader moves in the middle of a checksum", at: rpc("Coprocessor"), act: moveLeader },
];

describe("one run outlives it, without being started again", () => {
  for (const { name, at, act } of cases) {
    test(name, async () => {
      let struck = 0;
      // Several imports, as not each of them has a split, three PDs, or ids to set.
      for (const seed of [5, 6, 19, 69]) {
        let place: Place | undefined;
        let done = false;
        const judge = (kind: StepKind, what: string): Harm => {
          if (done || !at(kind, what)) return undefined;
          done = true;
          struck++;
          act(place!);
          return undefined;
        };
        const report = await simulate(seed, {
          livesMax: 1,
          tamper: (given) => {
            place = given;
          },
          judge: () => judge,
        });
        assert.equal(report.lives, 1);
      }
      assert.ok(struck > 0, "it never came to that");
    });
  }
});
