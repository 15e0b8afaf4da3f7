import assert from "node:assert/strict";
import { test } from "node:test";
import { Lease } from "../../src/ingest/lease.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";

/** A peer that takes so long to do what it is asked for, and does it also when the asker has given up. */
function slowPeer(clock: VirtualClock, renewMs: number) {
  const peer = { holds: true, log: [] as string[] };
  const lease = new Lease({
    clock,
    everyMs: 1_000,
    async renew(signal) {
      const served = clock.sleep(renewMs).then(() => {
        peer.holds = true;
        peer.log.push("renewed");
      });
      await Promise.race([served, new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal)))]);
    },
    async undo() {
      peer.holds = false;
      peer.log.push("undone");
    },
    undoWithinMs: 15_000,
    onTrouble: (thrown) => void peer.log.push(String(thrown)),
  });
  return { peer, lease };
}

test("a renewal that is under way is answered before the lease is taken back", async () => {
  const clock = new VirtualClock();
  const { peer, lease } = slowPeer(clock, 3_000);
  await clock.sleep(1_500);
  await lease.close();
  await clock.sleep(60_000);
  assert.deepEqual(peer, { holds: false, log: ["renewed", "undone"] });
  clock.stop();
});

test("one that is not answered holds up the closing for seconds only", async () => {
  const clock = new VirtualClock();
  const { peer, lease } = slowPeer(clock, 600_000);
  await clock.sleep(1_500);
  await lease.close();
  assert.deepEqual(peer.log, ["undone"]);
  assert.ok(clock.monotonicMs() < 10_000);
  clock.stop();
});
